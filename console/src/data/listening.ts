// Hearing a call while it lasts: sound over a WebSocket, played as it comes, one call at a time.

import { signal } from '@preact/signals'

/** What is heard; `silent`: the recording is paused, and so nobody hears the call. */
export interface Listening {
  readonly callId: string
  readonly state: 'connecting' | 'hearing' | 'silent'
  /** Frames that came too late to be played, or were left out. */
  readonly dropped: number
}

/** The call that is listened to. */
export const listening = signal<Listening | undefined>(undefined)
/** Why the latest listening ended, and of which call. */
export const listeningEnded = signal<{ readonly callId: string; readonly text: string } | undefined>(undefined)

/** Sound is played so long after it came, so that uneven arrival is not heard. */
const LEAD_S = 0.15
const MOST_BEHIND_S = 1
const HEADER_BYTES = 8
const FULL_SCALE = 32_768

let socket: WebSocket | undefined
let sound: AudioContext | undefined
const playedUntil = new Map<number, number>()

/** Begins to listen to a call; call it from a click, as browsers want it. */
export function listenTo(callId: string): void {
  stopListening()
  listeningEnded.value = undefined
  const url = new URL(`/api/calls/${encodeURIComponent(callId)}/listen`, location.href)
  url.protocol = url.protocol.replace('http', 'ws')
  const opened = new WebSocket(url)
  opened.binaryType = 'arraybuffer'
  socket = opened
  sound = new AudioContext()
  playedUntil.clear()
  listening.value = { callId, state: 'connecting', dropped: 0 }
  opened.addEventListener('message', ({ data }) => {
    if (socket !== opened || sound === undefined) return
    if (data instanceof ArrayBuffer) play(sound, data)
    else onText(callId, JSON.parse(String(data)) as { type: string; frames?: number })
  })
  opened.addEventListener('close', () => {
    if (socket !== opened) return
    const wasHeard = listening.value?.state !== 'connecting'
    const text = wasHeard ? 'The call, or the connection, has ended.' : 'The call cannot be heard, or not by you.'
    listeningEnded.value = { callId, text }
    stopListening()
  })
}

/** Ends listening. */
export function stopListening(): void {
  const closed = socket
  socket = undefined
  closed?.close()
  void sound?.close()
  sound = undefined
  listening.value = undefined
}

function onText(callId: string, { type, frames = 0 }: { type: string; frames?: number }): void {
  const { state = 'connecting', dropped = 0 } = listening.value ?? {}
  if (type === 'streams' && state === 'connecting') listening.value = { callId, state: 'hearing', dropped }
  else if (type === 'paused') listening.value = { callId, state: 'silent', dropped }
  else if (type === 'resumed') listening.value = { callId, state: 'hearing', dropped }
  else if (type === 'dropped') listening.value = { callId, state, dropped: dropped + frames }
}

/** Channel (1 byte), 3 bytes zero, rate (4 bytes), 16-bit samples, little-endian. */
function play(context: AudioContext, bytes: ArrayBuffer): void {
  const view = new DataView(bytes)
  const length = (bytes.byteLength - HEADER_BYTES) / 2
  if (length < 1) return
  const channel = view.getUint8(0)
  const rate = view.getUint32(4, true)
  const buffer = context.createBuffer(1, length, rate)
  const samples = buffer.getChannelData(0)
  for (let at = 0; at < length; at += 1) samples[at] = view.getInt16(HEADER_BYTES + 2 * at, true) / FULL_SCALE
  const due = playedUntil.get(channel) ?? 0
  const isOff = due < context.currentTime || due > context.currentTime + MOST_BEHIND_S
  const startAt = isOff ? context.currentTime + LEAD_S : due
  const source = context.createBufferSource()
  source.buffer = buffer
  source.connect(context.destination)
  source.start(startAt)
  playedUntil.set(channel, startAt + length / rate)
}

addEventListener('pagehide', stopListening)
