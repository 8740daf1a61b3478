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
  keepAlive: Timer
  /** It has answered a question before, so that its silence says something. */
  answers: boolean
}

/** Below the 30 s after which NATs and firewalls commonly forget a way by UDP that nobody uses (RFC 5626 section 4.4.2). */
const keepAliveMs = 25_000

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
    const waiting: Waiting = { ...idle, timer, keepAlive: this.#askLater(() => waiting), answers: false }
    this.#waiting.add(waiting)
    dialog.handlers = {
      onRequest: (incoming) => this.#onRequest(idle, incoming),
      onRefreshDue: () => void dialog.reinvite(() => idle.continuity.withoutCall(this.#around.ids)),
      onEnd: () => this.#forget(waiting),
    }
    this.#tell(idle)
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

  /** Says that there is no call in it. */
  #tell({ dialog, continuity }: IdleDialog): void {
    if (dialog.remoteAllow.has('UPDATE')) void dialog.request('UPDATE', continuity.emptyDocument())
    else void dialog.reinvite(() => continuity.withoutCall(this.#around.ids))
  }

  #askLater(waiting: () => Waiting): Timer {
    return this.#around.clock.after(keepAliveMs, 'idle recording session keep-alive', () => void this.#ask(waiting()))
  }

  /** Keeps the way to the recorder open, and finds out before the next call that it has gone. */
  async #ask(waiting: Waiting): Promise<void> {
    waiting.keepAlive = this.#askLater(() => waiting)
    const { cause } = await waiting.dialog.request('OPTIONS', { outlivesSilence: true })
    if (!this.#waiting.has(waiting)) return
    if (cause === 'response') waiting.answers = true
    else if (waiting.answers) this.#drop(waiting)
  }

  #onRequest(idle: IdleDialog, incoming: IncomingRequest): void {
    const { continuity } = idle
    answerRecorder(incoming, {
      streams: [],
      describe: (media) => continuity.sdp.describe(media),
      onStreams: () => {},
      onUnusable: () => {},
      onSnapshotRequest: () => this.#tell(idle),
    })
  }

  #drop(waiting: Waiting): void {
    this.#forget(waiting)
    this.#end(waiting)
  }

  #forget(waiting: Waiting): void {
    waiting.timer.cancel()
    waiting.keepAlive.cancel()
    this.#waiting.delete(waiting)
  }

  #end({ dialog }: IdleDialog): void {
    if (!dialog.ended) void dialog.bye({ headers: withDate(this.#around.clock.wallMs()) })
  }
}

function hasCalls({ dialog, continuity }: IdleDialog): boolean {
  return !dialog.ended && continuity.members.size > 0
}
