import assert from 'node:assert/strict'
import test from 'node:test'
import { FRAME_SAMPLES, JitterBuffer } from './jitter-buffer.ts'

function packetOf(value: number): Int16Array {
  return new Int16Array(FRAME_SAMPLES).fill(value)
}

/** The value that a whole frame has; NaN when it is mixed, undefined when nothing came. */
function take(buffer: JitterBuffer): number | undefined {
  const frame = new Int16Array(FRAME_SAMPLES)
  if (!buffer.take(frame)) return undefined
  return frame.every((sample) => sample === frame[0]) ? frame[0] : Number.NaN
}

function takeAll(buffer: JitterBuffer, count: number): (number | undefined)[] {
  return Array.from({ length: count }, () => take(buffer))
}

test('a packet waits one frame, and order is that of the timestamps, over a wrap', () => {
  const buffer = new JitterBuffer()
  const start = 0xffffff60
  buffer.put(packetOf(1), start, true)
  assert.equal(take(buffer), undefined)
  buffer.put(packetOf(3), (start + 320) >>> 0, false)
  buffer.put(packetOf(2), (start + 160) >>> 0, false)
  assert.deepEqual(takeAll(buffer, 4), [1, 2, 3, undefined])
})

test('RTP-17: a lost packet is silence at its place, and one that comes too late is left out', () => {
  const buffer = new JitterBuffer()
  buffer.put(packetOf(1), 0, true)
  buffer.put(packetOf(3), 320, false)
  assert.deepEqual(takeAll(buffer, 3), [undefined, 1, 0])
  buffer.put(packetOf(2), 160, false)
  buffer.put(packetOf(4), 480, false)
  assert.deepEqual(takeAll(buffer, 2), [3, 4])
})

test('after it ran dry it waits a frame again', () => {
  const buffer = new JitterBuffer()
  buffer.put(packetOf(1), 0, true)
  assert.deepEqual(takeAll(buffer, 4), [undefined, 1, undefined, undefined])
  buffer.put(packetOf(2), 160, false)
  assert.deepEqual(takeAll(buffer, 2), [undefined, 2])
})

test('what a burst put in too much is skipped within a second or so', () => {
  const buffer = new JitterBuffer()
  for (let packet = 0; packet < 5; packet++) buffer.put(packetOf(packet), packet * FRAME_SAMPLES, packet === 0)
  const lags: number[] = []
  for (let packet = 5; packet < 80; packet++) {
    lags.push(packet - (take(buffer) ?? packet))
    buffer.put(packetOf(packet), packet * FRAME_SAMPLES, false)
  }
  assert.equal(lags[10], 6)
  assert.equal(lags.at(-1), 2)
})

test('a jump of the clock and a packet beyond all measure do no harm', () => {
  const buffer = new JitterBuffer()
  buffer.put(packetOf(1), 0, true)
  buffer.put(packetOf(2), 0x7fff0000, false)
  buffer.put(new Int16Array(60_000).fill(9), 0x7fff00a0, false)
  assert.deepEqual(takeAll(buffer, 3), [undefined, 2, undefined])
  buffer.put(packetOf(5), 5, true)
  buffer.clear()
  assert.deepEqual(takeAll(buffer, 2), [undefined, undefined])
})
