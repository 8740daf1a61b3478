// One call of a soak: caller, callee and the recorders that are asked, each playing the part that the call's script gives it.

import type { Clock, Ids, Timer } from '#kernel'
import type { DialogEnd, IncomingRequest, InviteDialog, RequestOutcome, ServerInvite, SipCore } from '#sip'
import { audioBody, audioPorts, recorderAnswer } from '../bench/sip-side.ts'
import type { SoakMedia, SoundOf } from './soak-media.ts'

/** The part of a recorder in one call: one session that it is asked for. */
export interface RecorderPart {
  /** 0 for the first recorder that was asked, 1 for the next. */
  readonly index: number
  ring(): void
  accept(): void
  refuse(status: number): void
  bye(): void
  /** re-INVITE that stops the streams, as a recorder pauses from its side. */
  stopStreams(): void
}

/** What the parts of a call do when something happens to them. */
export interface Script {
  readonly title: string
  /** Outcomes that are right; every one, if none is named. */
  readonly outcomes: readonly string[]
  readonly onPlaced?: (call: SoakCall) => void
  readonly onCalleeInvited?: (call: SoakCall) => void
  readonly onRecorderInvited?: (call: SoakCall, recorder: RecorderPart) => void
  /** The recorder's acceptance has been acknowledged. */
  readonly onRecorded?: (call: SoakCall, recorder: RecorderPart) => void
  /** The caller has been answered. */
  readonly onAnswered?: (call: SoakCall) => void
  /** The recorder is asked to change its streams; `answer` says yes. */
  readonly onReoffered?: (call: SoakCall, answer: () => void) => void
  /** The callee is asked to change the media. */
  readonly onCalleeReoffered?: (call: SoakCall) => void
}

/** What all calls of a soak share. */
export interface SoakStage {
  readonly core: SipCore
  readonly clock: Clock
  readonly ids: Ids
  readonly media: SoakMedia
  /** URI that is called. */
  readonly target: string
}

type Ended = (how: string) => void

/** User part that shows at every peer which call it is. */
const userOf = (id: number): string => `call-${id}`

/** The call that a message is of. */
export function callIdOf(text: string): number | undefined {
  const found = /\bcall-(\d+)@/.exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}

/** One call, from its INVITE until every part of it is over. */
export class SoakCall {
  readonly id: number
  readonly script: Script
  readonly #stage: SoakStage
  readonly #sound: SoundOf = {}
  readonly #onOver: (call: SoakCall) => void
  readonly #sessions: string[] = []
  readonly #timers = new Set<Timer>()
  #caller = 'calls'
  #callee = ''
  #cancel: () => void = () => {}
  #callerDialog: InviteDialog | undefined
  #calleeInvite: ServerInvite | undefined
  #calleeDialog: InviteDialog | undefined

  constructor(id: number, script: Script, stage: SoakStage, onOver: (call: SoakCall) => void) {
    this.id = id
    this.script = script
    this.#stage = stage
    this.#onOver = onOver
  }

  /** What became of the caller, and of each session that a recorder was asked for. */
  get outcome(): string {
    return `${this.#caller}: ${this.#sessions.join(', ') || 'no session'}`
  }

  get isRight(): boolean {
    return this.script.outcomes.length === 0 || this.script.outcomes.includes(this.outcome)
  }

  /** A seeded time below `mostMs`. */
  moment(mostMs: number): number {
    return this.#stage.ids.integer(mostMs)
  }

  after(delayMs: number, act: () => void): void {
    const timer = this.#stage.clock.after(delayMs, 'soak-call', () => {
      this.#timers.delete(timer)
      act()
    })
    this.#timers.add(timer)
  }

  place(): void {
    const { core, media, target } = this.#stage
    const invite = core.invite(
      {
        uri: target,
        from: `<sip:${userOf(this.id)}@127.0.0.1>`,
        body: audioBody([media.ports.caller], 'sendrecv'),
      },
      {
        onAccepted: (dialog, response) => {
          this.#callerDialog = dialog
          this.#caller = 'talks'
          dialog.handlers = {
            onRequest: (incoming) => this.#answerParty(incoming, media.ports.caller),
            onEnd: (end) => this.#callerOver(endText(end, 'talked')),
          }
          this.#hear('callerTo', response.body)
          media.talk(this.#sound)
          this.script.onAnswered?.(this)
        },
        onFailed: ({ cause, status }) => this.#callerOver(cause === 'cancelled' ? 'cancelled' : `refused ${status}`),
      },
    )
    this.#cancel = () => invite.cancel()
    this.script.onPlaced?.(this)
  }

  /** CANCEL or BYE, as the state asks for. */
  callerHangsUp(): void {
    if (this.#callerDialog === undefined) this.#cancel()
    else if (!this.#callerDialog.ended) void this.#callerDialog.bye()
  }

  calleeHangsUp(): void {
    if (this.#calleeDialog?.ended === false) void this.#calleeDialog.bye()
  }

  /** The caller puts the callee on hold. */
  hold(): void {
    void this.#callerDialog?.reinvite({ body: audioBody([this.#stage.media.ports.caller], 'sendonly') })
  }

  /** A recording command by INFO, as the caller's side gives it. */
  async command(activity: 'pause' | 'resume' | 'stop'): Promise<RequestOutcome | undefined> {
    return await this.#callerDialog?.request('INFO', { headers: [['X-Reason', `${activity}CallRecording`]] })
  }

  /** Takes the INVITE for the callee. */
  invited(invite: ServerInvite): void {
    this.#calleeInvite = invite
    this.#callee = 'called'
    invite.onCancel = () => this.#calleeOver()
    if (this.script.onCalleeInvited === undefined) this.calleeAnswers()
    else this.script.onCalleeInvited(this)
  }

  calleeRings(): void {
    this.#calleeInvite?.progress(180)
  }

  calleeAnswers(): void {
    const { ports } = this.#stage.media
    const invite = this.#calleeInvite
    if (invite === undefined || this.#callee !== 'called') return
    this.#hear('calleeTo', invite.request.body)
    this.#callee = 'talks'
    this.#calleeDialog = invite.accept(
      {
        onRequest: (incoming) => {
          if (incoming.request.method === 'INVITE') this.script.onCalleeReoffered?.(this)
          this.#answerParty(incoming, ports.callee)
        },
        onEnd: () => this.#calleeOver(),
      },
      { body: audioBody([ports.callee], 'sendrecv') },
    )
  }

  calleeRefuses(status: number): void {
    this.#calleeInvite?.reject(status)
    this.#calleeOver()
  }

  /** Takes the INVITE for a recorder. */
  askedToRecord(invite: ServerInvite): void {
    const index = this.#sessions.push('asked') - 1
    const part = this.#recorderPart(invite, index, (how) => this.#sessionOver(index, how))
    if (this.script.onRecorderInvited === undefined) part.accept()
    else this.script.onRecorderInvited(this, part)
  }

  /** Gives up waiting for what is not over yet. */
  abandon(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#stage.media.fallSilent(this.#sound)
  }

  #recorderPart(invite: ServerInvite, index: number, over: Ended): RecorderPart {
    const port = this.#stage.media.ports.recorder
    let dialog: InviteDialog | undefined
    invite.onCancel = () => over('cancelled')
    const part: RecorderPart = {
      index,
      ring: () => void invite.progress(180),
      accept: () => {
        if (this.#sessions[index] !== 'asked') return
        this.#sessions[index] = 'accepted'
        dialog = invite.accept(
          {
            onAck: () => this.script.onRecorded?.(this, part),
            onRequest: (incoming) => this.#onRecorderRequest(incoming, port),
            onEnd: (end) => over(end.cause === 'local-bye' ? 'hung up' : endText(end, 'ended')),
          },
          { body: recorderAnswer(invite.request.body, port) },
        )
      },
      refuse: (status) => {
        invite.reject(status)
        over('refused')
      },
      bye: () => {
        if (dialog?.ended === false) void dialog.bye()
      },
      stopStreams: () => void dialog?.reinvite({ body: audioBody([port, port], 'inactive') }),
    }
    return part
  }

  #onRecorderRequest(incoming: IncomingRequest, port: number): void {
    const { method, body } = incoming.request
    const answer = (): void =>
      void incoming.respond(200, method === 'INVITE' ? { body: recorderAnswer(body, port) } : {})
    if (method === 'INVITE' && this.script.onReoffered !== undefined) this.script.onReoffered(this, answer)
    else answer()
  }

  #answerParty(incoming: IncomingRequest, port: number): void {
    const { method, body } = incoming.request
    const isOffer = (method === 'INVITE' || method === 'UPDATE') && body.length > 0
    const direction = Buffer.from(body).includes('a=sendonly') ? 'recvonly' : 'sendrecv'
    incoming.respond(200, isOffer ? { body: audioBody([port], direction) } : {})
  }

  #hear(side: keyof SoundOf, description: Uint8Array): void {
    const [port] = audioPorts(description)
    if (port !== undefined && port > 0) this.#sound[side] = port
  }

  #callerOver(how: string): void {
    this.#caller = how
    this.#settle()
  }

  #calleeOver(): void {
    this.#callee = 'over'
    this.#settle()
  }

  #sessionOver(index: number, how: string): void {
    this.#sessions[index] = how
    this.#settle()
  }

  #settle(): void {
    const callerIsOver = this.#caller !== 'calls' && this.#caller !== 'talks'
    const calleeIsOver = this.#callee === '' || this.#callee === 'over'
    const sessionsAreOver = this.#sessions.every((state) => state !== 'asked' && state !== 'accepted')
    if (!callerIsOver || !calleeIsOver || !sessionsAreOver) return
    this.abandon()
    this.#onOver(this)
  }
}

/** A dialog that ended by BYE ended as it should; anything else is named. */
function endText({ cause }: DialogEnd, asItShould: string): string {
  return cause === 'local-bye' || cause === 'remote-bye' ? asItShould : `${asItShould} (${cause})`
}
