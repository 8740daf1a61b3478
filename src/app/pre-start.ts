// What is said before a recording starts, kept in memory for it where configuration says so, and only as long as nobody would mind.

import type { Call, CallService } from '#call'
import type { RecordingClient } from '#recording-client'
import type { Notices } from './recording-commands.ts'
import { preferenceOf } from './recording-indicator.ts'

/** What it works with. */
export interface PreStartOptions {
  readonly service: CallService
  readonly client: RecordingClient
  readonly notices: Notices
  /** Calls are listened to that have heard no announcement. */
  readonly withoutNotice: boolean
}

/** Listens to answered calls: not before an announcement was heard, and never while a party asks not to be recorded, whoever obeys that otherwise. */
export function listenBeforeStart({ service, client, notices, withoutNotice }: PreStartOptions): void {
  const consider = (call: Call): void => {
    const { state, parties } = call.snapshot()
    const preference = preferenceOf(parties)
    const isAllowed = state === 'answered' && preference !== 'off' && preference !== 'pause'
    if (isAllowed && (withoutNotice || notices.wasPlayed(call))) client.listen(call)
    else client.deafen(call)
  }
  notices.onPlayed = consider
  service.onCall(({ type, call }) => {
    if (type !== 'call-ended') call.onEvent((event) => event.type !== 'ended' && consider(call))
  })
}
