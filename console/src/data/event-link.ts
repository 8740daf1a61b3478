// The event stream: one WebSocket for all who listen, opened anew for as long as somebody does.

import { signal } from '@preact/signals'
import type { ApiEvent } from '../../../src/control/events/event-vocabulary.ts'
import { isSignedOut, readAbilities } from './abilities.ts'

/** `polling`: the program answers, but there is no stream; `lost`: it does not answer. */
export type LinkState = 'connecting' | 'live' | 'polling' | 'lost' | 'signed-out'

/** How the console is connected. */
export const linkState = signal<LinkState>('connecting')

/** Told of each event, and of `resync` when some may have been missed. */
export type EventListener = (event: ApiEvent | 'resync') => void

const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 5_000

const listeners = new Set<EventListener>()
let socket: WebSocket | undefined
let timer: number | undefined
let retryMs = FIRST_RETRY_MS

/** Listens until the returned function is called. */
export function listenToEvents(listener: EventListener): () => void {
  listeners.add(listener)
  if (listeners.size === 1) open()
  else listener('resync')
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) close()
  }
}

/** Tries at once instead of when the next try is due. */
export function reconnect(): void {
  if (listeners.size === 0 || socket !== undefined) return
  window.clearTimeout(timer)
  open()
}

function tell(event: ApiEvent | 'resync'): void {
  for (const listener of listeners) listener(event)
}

function open(): void {
  const url = new URL('/api/events', location.href)
  url.protocol = url.protocol.replace('http', 'ws')
  const opened = new WebSocket(url)
  socket = opened
  opened.addEventListener('open', () => {
    retryMs = FIRST_RETRY_MS
    linkState.value = 'live'
    void readAbilities().catch(() => {})
    tell('resync')
  })
  opened.addEventListener('message', ({ data }) => {
    const event = JSON.parse(String(data)) as ApiEvent
    tell(event.type === 'events.missed' ? 'resync' : event)
  })
  opened.addEventListener('close', () => {
    if (socket !== opened) return
    socket = undefined
    void retry()
  })
}

/** A browser does not say why a WebSocket failed: the answer to a plain request does. */
async function retry(): Promise<void> {
  try {
    await readAbilities()
    linkState.value = isSignedOut.value ? 'signed-out' : 'polling'
  } catch {
    linkState.value = 'lost'
  }
  if (listeners.size === 0 || socket !== undefined) return
  if (linkState.value === 'polling') tell('resync')
  timer = window.setTimeout(open, retryMs)
  retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2)
}

function close(): void {
  window.clearTimeout(timer)
  const closed = socket
  socket = undefined
  closed?.close()
}

addEventListener('online', reconnect)
addEventListener('offline', () => socket?.close())
