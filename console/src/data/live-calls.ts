// The calls under way, kept up to date by events: who is told that a call changed reads that call, or all of them when many changed.

import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { CallView } from '../../../src/control/contract.ts'
import { linkState, listenToEvents } from './event-link.ts'
import { ApiError, get } from './http.ts'

const GATHER_MS = 200
/** Above this one list is cheaper than single calls. */
const MOST_SINGLE_READS = 8
/** For what no event tells, and while there are no events. */
const SWEEP_MS = 30_000
const POLL_MS = 2_000

/** The calls, newest first; undefined until they are known. */
export const liveCalls = signal<readonly CallView[] | undefined>(undefined)
/** Why the calls are not newer. */
export const liveCallsError = signal<ApiError | undefined>(undefined)

const dirty = new Set<string>()
let isAllDirty = false
let isReading = false
let timer: number | undefined
let users = 0
let end: (() => void) | undefined

/** Keeps the calls up to date while the view that asks is shown. */
export function useLiveCalls(): void {
  useEffect(() => {
    users += 1
    if (users === 1) begin()
    return () => {
      users -= 1
      if (users === 0) end?.()
    }
  }, [])
}

/** Reads one call soon, or all. */
export function refreshCalls(callId?: string, afterMs = GATHER_MS): void {
  if (callId === undefined) isAllDirty = true
  else dirty.add(callId)
  schedule(afterMs)
}

function begin(): void {
  const stop = listenToEvents((event) => {
    if (event === 'resync') refreshCalls()
    else if (event.callId !== undefined) refreshCalls(event.callId)
  })
  end = () => {
    stop()
    window.clearTimeout(timer)
    timer = undefined
  }
  refreshCalls()
}

function schedule(afterMs: number): void {
  window.clearTimeout(timer)
  if (!isReading) timer = window.setTimeout(() => void read(), afterMs)
}

async function read(): Promise<void> {
  isReading = true
  const wanted = [...dirty]
  const isAll = isAllDirty || wanted.length === 0 || wanted.length > MOST_SINGLE_READS
  dirty.clear()
  isAllDirty = false
  try {
    if (isAll) liveCalls.value = newestFirst((await get<{ items: CallView[] }>('/api/calls')).items)
    else for (const callId of wanted) await readOne(callId)
    liveCallsError.value = undefined
  } catch (cause) {
    liveCallsError.value = cause instanceof ApiError ? cause : new ApiError(0, 'fault', String(cause))
    isAllDirty = true
  }
  isReading = false
  if (users === 0) return
  const isQuiet = dirty.size === 0 && !isAllDirty
  const isFresh = linkState.value === 'live' && liveCallsError.value === undefined
  schedule(isFresh ? (isQuiet ? SWEEP_MS : GATHER_MS) : POLL_MS)
}

async function readOne(callId: string): Promise<void> {
  const others = (liveCalls.value ?? []).filter((call) => call.callId !== callId)
  try {
    const call = await get<CallView>(`/api/calls/${encodeURIComponent(callId)}`)
    // One that is over is shown by its record.
    liveCalls.value = call.state === 'ended' ? others : newestFirst([...others, call])
  } catch (cause) {
    if (!(cause instanceof ApiError && cause.status === 404)) throw cause
    liveCalls.value = others
  }
}

function newestFirst(calls: readonly CallView[]): readonly CallView[] {
  return [...calls].sort((a, b) => b.startedAt.localeCompare(a.startedAt) || b.callId.localeCompare(a.callId))
}
