// The ACK of a 2xx: RFC 3261 section 13.2.2.4. Sent by the core, again for each repetition of the 2xx.

import { type DialogContext, planWithin } from './dialog-context.ts'
import { cseqNumberOf, type SipRequest } from './message/message.ts'
import type { RequestPlan } from './message-builder.ts'
import type { Located } from './next-hop.ts'
import type { HeaderList, SipBody } from './session.ts'
import type { SipTarget } from './transport-port.ts'

interface Built {
  readonly target: SipTarget
  readonly bytes: Uint8Array
  /** The UDP target that this TCP attempt stands for. */
  readonly datagram?: SipTarget
}

/** One ACK; the same bytes each time once it has been built. */
export class Acknowledgement {
  readonly #context: DialogContext
  readonly #plan: RequestPlan
  readonly #hop: string
  #targets: SipTarget[] = []
  #built: Built | undefined
  #resolving = false

  /** It has the number and the credentials of the INVITE. */
  constructor(context: DialogContext, invite: SipRequest, body: SipBody | undefined) {
    const options = { headers: credentials(invite), ...(body === undefined ? {} : { body }) }
    const { plan, hop } = planWithin(context, 'ACK', cseqNumberOf(invite), options)
    this.#context = context
    this.#plan = plan
    this.#hop = hop
  }

  /** Sends it, or sends it again. */
  send(): void {
    if (this.#built !== undefined) this.#transmit(this.#built)
    else if (!this.#resolving) {
      this.#resolving = true
      this.#context.hop.resolve(this.#hop, (located) => this.#begin(located))
    }
  }

  #begin(located: Located): void {
    this.#resolving = false
    if (!located.ok) {
      const fields = { callId: this.#plan.callId, reason: located.error.message }
      this.#context.parts.log.warn('no target for ACK', fields)
      return
    }
    this.#targets = [...located.value]
    this.#next()
  }

  #next(): void {
    const target = this.#targets.shift()
    this.#built = undefined
    if (target === undefined) this.#context.hop.forget()
    else this.#transmit(this.#build(target))
  }

  #build(target: SipTarget): Built {
    const { builder, streams } = this.#context.parts
    const { bytes } = builder.request(this.#plan, target)
    const stream = streams.insteadOf(target, bytes.length)
    if (stream === undefined) return { target, bytes }
    return { target: stream, bytes: builder.request(this.#plan, stream).bytes, datagram: target }
  }

  #transmit(built: Built): void {
    this.#built = built
    this.#context.parts.wire.send(built.target, built.bytes, (reason) => {
      if (this.#built !== built) return
      if (built.datagram !== undefined) {
        this.#context.parts.streams.remember(built.target.host, reason)
        this.#targets.unshift(built.datagram)
      }
      this.#next()
    })
  }
}

function credentials(invite: SipRequest): HeaderList {
  return ['Authorization', 'Proxy-Authorization'].flatMap((name) =>
    invite.headers.all(name).map((value) => [name, value] as const),
  )
}
