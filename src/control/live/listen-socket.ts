// Sound over one WebSocket, as it is heard: a header of eight bytes and 16-bit samples per frame, and short texts between them.

import { Type } from 'typebox'
import type { WebSocket } from 'ws'
import { HttpError } from '../http-error.ts'

/** What may wait to be sent: about two seconds of two voices. A listener that is slower loses sound, and is told how much. */
const MOST_BUFFERED_BYTES = 65_536
const HEADER_BYTES = 8
const ENDED = 1000

/** Sound of one channel: 16-bit samples. */
export interface HeardFrame {
  readonly channel: number
  readonly sampleRateHz: number
  readonly samples: Int16Array
}

/** What a channel is. */
interface HeardStream {
  readonly channel: number
  readonly label?: string
  readonly speakers: readonly string[]
}

/** One channel may be asked for. */
export const listenQuery = Type.Object(
  { channel: Type.Optional(Type.Integer({ minimum: 0, maximum: 255 })) },
  { additionalProperties: false },
)

/** Somebody who hears. */
export interface Hearer {
  /** Comes first, and again when there are others. */
  onStreams(streams: readonly HeardStream[]): void
  onSound(frames: readonly HeardFrame[]): void
  /** Nothing is heard while it is paused. */
  onPause(isPaused: boolean): void
  onEnd(): void
}

/** Answers those who ask for sound by plain HTTP. */
export async function upgradeRequired(): Promise<never> {
  throw new HttpError(426, 'upgrade-required', 'sound is given by WebSocket')
}

/** What can be listened to; the returned function ends it. */
export type Audible = (hearer: Hearer) => (() => void) | undefined

/** Sends what is heard until the socket closes, or until there is no more; `channel`: of this one only. */
export function sendSound(socket: WebSocket, listen: Audible, channel?: number): void {
  if (socket.readyState !== socket.OPEN) return
  let dropped = 0
  const say = (message: object): void => socket.send(JSON.stringify(message))
  const end = listen({
    onStreams: (streams) => say({ type: 'streams', encoding: 'pcm16le', headerBytes: HEADER_BYTES, streams }),
    onSound: (frames) => {
      for (const frame of frames) {
        if (socket.readyState !== socket.OPEN || (channel !== undefined && frame.channel !== channel)) continue
        if (socket.bufferedAmount > MOST_BUFFERED_BYTES) {
          dropped += 1
          continue
        }
        if (dropped > 0) say({ type: 'dropped', frames: dropped })
        dropped = 0
        socket.send(frameBytes(frame))
      }
    },
    onPause: (isPaused) => say({ type: isPaused ? 'paused' : 'resumed' }),
    onEnd: () => {
      say({ type: 'ended' })
      socket.close(ENDED, 'ended')
    },
  })
  if (end === undefined) {
    say({ type: 'ended' })
    socket.close(ENDED, 'ended')
  } else socket.once('close', end)
}

/** Channel (1 byte), 3 bytes zero, rate in Hz (4 bytes), then samples; all little-endian. */
function frameBytes({ channel, sampleRateHz, samples }: HeardFrame): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + 2 * samples.length)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, channel)
  view.setUint32(4, sampleRateHz, true)
  for (let at = 0; at < samples.length; at++) view.setInt16(HEADER_BYTES + 2 * at, samples[at]!, true)
  return bytes
}
