// A recorder that misbehaves by script. It keeps no transactions: a repeated request gets the last response again.

import type { Timer } from '#kernel'
import { parseMessage, type SipFlow, type SipRequest } from '#sip'
import { transactionKey } from './chaos-messages.ts'
import { ChaosRequest } from './chaos-request.ts'
import type { ChaosAction, ChaosRule, ChaosScript, ChaosTrigger } from './chaos-script.ts'
import { ChaosSession, type ChaosSessionView, type ChaosSurroundings } from './chaos-session.ts'

const MOST_REQUESTS = 20_000

/** The recorder; bytes come in by `receive`, and go out by the transport it was given. */
export class ChaosRecorder {
  readonly #script: ChaosScript
  readonly #around: ChaosSurroundings
  readonly #sessions = new Map<string, ChaosSession>()
  readonly #requests = new Map<string, ChaosRequest>()
  readonly #seen = new Map<ChaosTrigger, number>()
  readonly #used = new Map<ChaosRule, number>()
  readonly #timers = new Set<Timer>()
  #isGone = false

  constructor(script: ChaosScript, around: ChaosSurroundings) {
    this.#script = script
    this.#around = around
  }

  /** Sessions so far, oldest first. */
  get sessions(): ChaosSessionView[] {
    return [...this.#sessions.values()].map((session) => session.view)
  }

  /** Bytes of one message; never throws. */
  receive(bytes: Uint8Array, flow: SipFlow): void {
    if (this.#isGone) return
    const parsed = parseMessage(bytes, { transport: flow.transport === 'udp' ? 'datagram' : 'stream' })
    if (!parsed.ok) return
    const message = parsed.value
    const session = this.#sessions.get(message.headers.get('Call-ID') ?? '')
    if (message.kind === 'response') session?.onResponse(message)
    else this.#onRequest(message, flow, session)
  }

  /** Stops timers and closes media. */
  close(): void {
    this.#isGone = true
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    for (const session of this.#sessions.values()) session.closeMedia()
  }

  #onRequest(request: SipRequest, flow: SipFlow, known: ChaosSession | undefined): void {
    const key = transactionKey(request)
    const before = this.#requests.get(key)
    if (before !== undefined) {
      before.repeat()
      return
    }
    const asked = new ChaosRequest(request, flow, this.#around.transport)
    this.#requests.set(key, asked)
    if (this.#requests.size > MOST_REQUESTS) this.#requests.delete(this.#requests.keys().next().value ?? '')
    const trigger = triggerOf(request)
    const session = known ?? (trigger === 'invite' ? this.#open(asked) : undefined)
    session?.requests.push(request.method)
    this.#follow(trigger, session, asked)
  }

  #open(asked: ChaosRequest): ChaosSession {
    const session = new ChaosSession(asked, this.#around)
    this.#sessions.set(asked.request.headers.get('Call-ID') ?? '', session)
    return session
  }

  /** Does what the rule of a trigger says, then what politeness asks for. */
  #follow(trigger: ChaosTrigger, session: ChaosSession | undefined, asked: ChaosRequest): void {
    const actions = this.#ruleFor(trigger)?.do ?? []
    this.#perform(actions, session, asked).then(
      () => this.#politely(trigger, session, asked),
      (fault: unknown) => this.#around.log.error('an action failed', { fault: `${fault}` }),
    )
  }

  #ruleFor(trigger: ChaosTrigger): ChaosRule | undefined {
    const seen = (this.#seen.get(trigger) ?? 0) + 1
    this.#seen.set(trigger, seen)
    const rule = this.#script.rules.find(
      (each) =>
        each.on === trigger && seen > (each.skip ?? 0) && (this.#used.get(each) ?? 0) < (each.times ?? Infinity),
    )
    if (rule !== undefined) this.#used.set(rule, (this.#used.get(rule) ?? 0) + 1)
    return rule
  }

  async #perform(
    actions: readonly ChaosAction[],
    session: ChaosSession | undefined,
    asked: ChaosRequest,
  ): Promise<void> {
    for (const action of actions) {
      if (this.#isGone) return
      if ('delay' in action) await this.#wait(action.delay)
      else if ('answer' in action) await this.#accept(session, asked, action)
      else this.#act(action, session, asked)
    }
  }

  async #accept(
    session: ChaosSession | undefined,
    asked: ChaosRequest,
    { answer }: Extract<ChaosAction, { answer: unknown }>,
  ): Promise<void> {
    const isFirst = session?.state === 'inviting'
    if (session === undefined) asked.respond(200, '')
    else await session.accept(asked, answer)
    if (session !== undefined && isFirst && session.state === 'up') this.#afterAnswer(session)
  }

  #act(
    action: Exclude<ChaosAction, { delay: unknown } | { answer: unknown }>,
    session: ChaosSession | undefined,
    asked: ChaosRequest,
  ): void {
    const tag = session?.tag ?? this.#around.ids.hex(4)
    if ('silent' in action) asked.isSettled = true
    else if ('ignore' in action) asked.respond(200, tag)
    else if ('progress' in action) asked.respond(action.progress, tag)
    else if ('refuse' in action) asked.refuse(action.refuse, tag)
    else if ('send' in action) session?.send(action.send)
    else if ('vanish' in action) this.close()
    else if ('rtcp' in action) session?.stopReports()
    else if (action.close === 'rtp') session?.closeMedia()
    else this.#around.hangUp(asked.flow)
  }

  /** What a recorder does unasked. */
  #politely(trigger: ChaosTrigger, session: ChaosSession | undefined, asked: ChaosRequest): void {
    if (this.#isGone || asked.isSettled || trigger === 'ack' || trigger === 'after-ms') return
    if (session === undefined) {
      asked.respond(trigger === 'options' ? 200 : 481, this.#around.ids.hex(4))
      return
    }
    if (trigger === 'bye' || trigger === 'cancel') {
      asked.respond(200, session.tag)
      if (trigger === 'cancel' && session.invite.isSettled) return
      session.invite.respond(487, session.tag)
      session.end()
      return
    }
    void this.#accept(session, asked, { answer: {} })
  }

  #afterAnswer(session: ChaosSession): void {
    for (const rule of this.#script.rules) {
      if (rule.on !== 'after-ms' || (this.#used.get(rule) ?? 0) >= (rule.times ?? Infinity)) continue
      this.#used.set(rule, (this.#used.get(rule) ?? 0) + 1)
      this.#after(rule.ms ?? 0, () => {
        if (session.state === 'up') void this.#perform(rule.do, session, session.invite)
      })
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.#after(ms, resolve))
  }

  #after(ms: number, fire: () => void): void {
    const timer = this.#around.clock.after(ms, 'chaos', () => {
      this.#timers.delete(timer)
      fire()
    })
    this.#timers.add(timer)
  }
}

function triggerOf({ method, headers }: SipRequest): ChaosTrigger {
  const isWithin = (headers.tag('To') ?? '') !== ''
  switch (method) {
    case 'INVITE':
      return isWithin ? 'reinvite' : 'invite'
    case 'ACK':
    case 'BYE':
    case 'CANCEL':
    case 'INFO':
    case 'UPDATE':
      return method.toLowerCase() as ChaosTrigger
    default:
      return 'options'
  }
}
