import assert from 'node:assert/strict'
import type { Socket } from 'node:dgram'
import { test } from 'node:test'
import { WAV_HEADER_BYTES, wavHeader } from '#audio'
import { RTP_HEADER_BYTES } from '#rtp'
import type { Gap, Manifest, StreamManifest } from '#store'
import { audioFaults, ledgerFaults, type PlacedPacket, placedPackets } from './kept-ledger.ts'
import { MarkedStream } from './marked-stream.ts'

const STREAM = 1
const RESTART: Gap = { fromMs: 200, toMs: 1200, cause: 'recorder-restart' }
const DURATION_MS = 1400

/** A stream of 70 packets, of which the first ten and the last ten were kept. */
function made(): {
  readonly sent: MarkedStream
  readonly payloads: readonly Uint8Array[]
  readonly packets: readonly PlacedPacket[]
} {
  const payloads: Uint8Array[] = []
  const socket = { send: (bytes: Uint8Array) => void payloads.push(bytes.slice(RTP_HEADER_BYTES)) } as unknown as Socket
  const sent = new MarkedStream(socket, 0, STREAM)
  for (let n = 0; n < 70; n++) sent.send(n * 20)
  const numbers = [...Array(70).keys()].filter((n) => n < 10 || n >= 60)
  return { sent, payloads, packets: numbers.map((number) => ({ number, fromMs: number * 20, toMs: number * 20 + 20 })) }
}

function streamOf(gaps: readonly Gap[], audioMs = 400): StreamManifest {
  const missingMs = { 'recorder-restart': gaps.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0) }
  return { runs: [], gaps, account: { audioMs, missingMs } } as unknown as StreamManifest
}

/** recording.wav of the stream; `change` spoils it. */
function wavOf(
  payloads: readonly Uint8Array[],
  change: (audio: Uint8Array) => Uint8Array = (audio) => audio,
): Uint8Array {
  const audio = new Uint8Array(DURATION_MS * 8).fill(0xff)
  for (const n of [...Array(70).keys()]) if (n < 10 || n >= 60) audio.set(payloads[n]!.subarray(0, 160), n * 160)
  const data = change(audio)
  const head = wavHeader({ format: 'pcmu', sampleRateHz: 8000, channels: 1, dataBytes: data.length })
  return Uint8Array.of(...head, ...data)
}

test('a ledger is at fault where it is silent about missing packets, says another cause, or is longer or shorter than the sender was unheard', () => {
  const { sent, packets } = made()
  const faultsOf = (gaps: readonly Gap[], audioMs?: number, sentAtMs = sent.sentAtMs): number =>
    ledgerFaults(streamOf(gaps, audioMs), DURATION_MS, packets, { sentAtMs }).length
  assert.equal(faultsOf([RESTART]), 0)
  assert.equal(faultsOf([], 1400), 1, 'nothing told')
  assert.equal(faultsOf([{ ...RESTART, cause: 'lost' }]), 1, 'another cause')
  assert.equal(faultsOf([{ ...RESTART, toMs: 700 }], 900), 1, 'too short')
  assert.equal(faultsOf([RESTART], 500), 1, 'sums that are not the duration')
  assert.equal(
    faultsOf([RESTART, { fromMs: 1200, toMs: 1220, cause: 'recorder-restart' }], 380),
    1,
    'a packet that is there',
  )
  assert.equal(faultsOf([RESTART, { fromMs: 1100, toMs: 1200, cause: 'recorder-restart' }], 300), 2, 'twice')
  const later = sent.sentAtMs.map((ms, number) => (number < 10 ? ms : ms + 3000))
  assert.equal(faultsOf([RESTART], undefined, later), 1, 'the recorder was away for longer')
})

test('recording.wav is at fault where a packet is missing or astray, a gap is heard, or it is too short', () => {
  const { payloads, packets } = made()
  const manifest = { durationMs: DURATION_MS, streams: [streamOf([RESTART])] } as unknown as Manifest
  const faultsOf = (change?: (audio: Uint8Array) => Uint8Array): number =>
    audioFaults(manifest, wavOf(payloads, change), [packets], [STREAM]).length
  assert.equal(faultsOf(), 0)
  assert.equal(
    faultsOf((audio) => audio.fill(0xff, 160, 320)),
    1,
    'missing',
  )
  assert.equal(
    faultsOf((audio) => audio.fill(7, 5000, 5001)),
    1,
    'heard in the gap',
  )
  assert.equal(
    faultsOf((audio) => audio.subarray(0, audio.length - 800)),
    2,
    'too short',
  )
  const exchanged = (audio: Uint8Array): Uint8Array => {
    return Uint8Array.of(
      ...audio.subarray(0, 9760),
      ...audio.subarray(9920, 10_080),
      ...audio.subarray(9760, 9920),
      ...audio.subarray(10_080),
    )
  }
  assert.equal(faultsOf(exchanged), 1, 'two packets have changed places')
  const short = streamOf([{ fromMs: 0, toMs: 0.2, cause: 'no-rtp-yet' }, RESTART])
  const begun = { durationMs: DURATION_MS, streams: [short] } as unknown as Manifest
  assert.deepEqual(audioFaults(begun, wavOf(payloads), [packets], [STREAM]), [], 'a gap shorter than what is rounded')
  assert.deepEqual(audioFaults(manifest, new Uint8Array(), [packets], [STREAM]), ['recording.wav does not play'])
})

test('packets are placed by the time of their run', () => {
  const { payloads } = made()
  const file = Uint8Array.of(
    ...new Uint8Array(WAV_HEADER_BYTES),
    ...payloads[3]!.subarray(0, 160),
    ...payloads[4]!.subarray(0, 160),
  )
  const run = { file: 'a.wav', encoding: 'PCMU/8000', clockRateHz: 8000, startMs: 60, bytes: 320, decoded: true }
  const stream = { runs: [run] } as unknown as StreamManifest
  assert.deepEqual(
    placedPackets(stream, STREAM, () => file),
    [
      { number: 3, fromMs: 60, toMs: 80 },
      { number: 4, fromMs: 80, toMs: 100 },
    ],
  )
})
