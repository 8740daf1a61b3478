// Recording sessions that stay up between calls: no stream flows, and the next call for the recorder is put into one of them
// (RFC 7866 section 10, RFC 8068 section 3.4).

import type { Timer } from '#kernel'
import type { IncomingRequest, InviteDialog } from '#sip'
import type { Continuity } from './continuity.ts'
import { answerRecorder } from './recorder-request.ts'
import { withDate } from './session-messages.ts'
import type { RecordingSurroundings } from './session-port.ts'

/** A session that a call can be put into. */
export interface IdleDialog {
  readonly uri: string
  readonly dialog: InviteDialog
  readonly continuity: Continuity
}

interface Waiting extends IdleDialog {
  readonly timer: Timer
}

/** The sessions that wait for a call, and those that take more calls beside the ones they have (SRC-71). */
export class IdleDialogs {
  readonly #shared = new Set<IdleDialog>()
  /** Recorders that are being invited to a session that others may join. */
  readonly #pending = new Map<string, Promise<void>>()
  readonly #around: RecordingSurroundings
  readonly #waiting = new Set<Waiting>()
  #isClosed = false

  constructor(around: RecordingSurroundings) {
    this.#around = around
  }

  get size(): number {
    return this.#waiting.size
  }

  /** Keeps a session for `idleMs` at most, then it gets its BYE; its recorder is told that there is no call in it. */
  keep(idle: IdleDialog, idleMs: number): void {
    const { dialog } = idle
    if (this.#isClosed) {
      this.#end(idle)
      return
    }
    const timer = this.#around.clock.after(idleMs, 'idle recording session', () => this.#drop(waiting))
    const waiting: Waiting = { ...idle, timer }
    this.#waiting.add(waiting)
    dialog.handlers = {
      onRequest: (incoming) => this.#onRequest(idle, incoming),
      onRefreshDue: () => void dialog.reinvite(() => idle.continuity.withoutCall(this.#around.ids)),
      onEnd: () => this.#forget(waiting),
    }
    const canUpdate = dialog.remoteAllow.has('UPDATE')
    if (canUpdate) void dialog.request('UPDATE', idle.continuity.emptyDocument())
    else void dialog.reinvite(() => idle.continuity.withoutCall(this.#around.ids))
  }

  /** A session with that recorder, which is the caller's from now on. */
  take(uri: string): IdleDialog | undefined {
    const found = [...this.#waiting].find((waiting) => waiting.uri === uri)
    if (found !== undefined) this.#forget(found)
    return found
  }

  /** A session has been accepted that other calls may join. */
  share(session: IdleDialog): void {
    for (const known of this.#shared) if (!hasCalls(known)) this.#shared.delete(known)
    if (![...this.#shared].some(({ dialog }) => dialog === session.dialog)) this.#shared.add(session)
  }

  /** A session with that recorder that has calls and takes another. */
  join(uri: string): IdleDialog | undefined {
    return [...this.#shared].find((session) => {
      const { members, maxCalls } = session.continuity
      return session.uri === uri && hasCalls(session) && members.size < maxCalls
    })
  }

  /** The recorder is being invited to a session that others may join; to be called when it has answered. */
  expect(uri: string): () => void {
    let settle: () => void = () => {}
    const pending = new Promise<void>((resolve) => {
      settle = resolve
    })
    this.#pending.set(uri, pending)
    return () => {
      if (this.#pending.get(uri) === pending) this.#pending.delete(uri)
      settle()
    }
  }

  /** Settles when a recorder that is being invited has answered; undefined: it is not. */
  pending(uri: string): Promise<void> | undefined {
    return this.#pending.get(uri)
  }

  /** Ends the sessions that wait, and those to come at once. */
  close(): void {
    this.#isClosed = true
    for (const waiting of this.#waiting) this.#drop(waiting)
  }

  #onRequest({ continuity }: IdleDialog, incoming: IncomingRequest): void {
    answerRecorder(incoming, {
      streams: [],
      describe: (media) => continuity.sdp.describe(media),
      onStreams: () => {},
      onUnusable: () => {},
      onSnapshotRequest: () => {},
    })
  }

  #drop(waiting: Waiting): void {
    this.#forget(waiting)
    this.#end(waiting)
  }

  #forget(waiting: Waiting): void {
    waiting.timer.cancel()
    this.#waiting.delete(waiting)
  }

  #end({ dialog }: IdleDialog): void {
    if (!dialog.ended) void dialog.bye({ headers: withDate(this.#around.clock.wallMs()) })
  }
}

function hasCalls({ dialog, continuity }: IdleDialog): boolean {
  return !dialog.ended && continuity.members.size > 0
}
