import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WebSocket } from 'ws'
import { type Hearer, sendSound } from './listen-socket.ts'

/** A socket whose line is as slow as the test wants. */
class Line {
  readonly OPEN = 1
  readyState = 1
  bufferedAmount = 0
  readonly sent: (string | Uint8Array)[] = []
  onClose: (() => void) | undefined

  send(message: string | Uint8Array): void {
    this.sent.push(message)
  }

  close(): void {
    this.readyState = 3
    this.onClose?.()
  }

  once(_event: string, listener: () => void): void {
    this.onClose = listener
  }
}

const frame = { channel: 3, sampleRateHz: 16_000, samples: Int16Array.of(1, -2) }

test('a slow listener loses sound and is told how much; it holds nothing back', () => {
  const line = new Line()
  let hearer: Hearer | undefined
  let isHeard = true
  const listen = (one: Hearer) => {
    hearer = one
    return () => {
      isHeard = false
    }
  }
  sendSound(line as unknown as WebSocket, listen)
  hearer?.onStreams([{ channel: 3, speakers: [] }])
  hearer?.onSound([frame])
  assert.deepEqual(
    [...(line.sent[1] as Uint8Array)],
    [3, 0, 0, 0, 0x80, 0x3e, 0, 0, 1, 0, 0xfe, 0xff],
    'channel, rate and samples, little-endian',
  )
  line.bufferedAmount = 100_000
  for (let count = 0; count < 5; count++) hearer?.onSound([frame])
  assert.equal(line.sent.length, 2)
  line.bufferedAmount = 0
  hearer?.onSound([frame])
  assert.deepEqual(JSON.parse(line.sent[2] as string), { type: 'dropped', frames: 5 })
  assert.equal(line.sent.length, 4)
  line.close()
  assert.equal(isHeard, false, 'a listener that went away is not told any more')
})

test('a session that is not there ends at once', () => {
  const line = new Line()
  sendSound(line as unknown as WebSocket, () => undefined)
  assert.deepEqual(JSON.parse(line.sent.at(-1) as string), { type: 'ended' })
  assert.equal(line.readyState, 3)
})
