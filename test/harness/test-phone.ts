// A phone on the in-memory network: a SIP core whose owner is the test. Its SDP is text; it has no media.

import type { ManualClock, MemoryLogger } from '#kernel'
import type {
  ClientInvite,
  DialogEnd,
  EarlyDialog,
  HeaderList,
  IncomingRequest,
  InviteDialog,
  RequestOutcome,
  ServerInvite,
  SipBody,
  SipCore,
  SipCoreOptions,
  SipResponse,
} from '#sip'
import { attachCore } from './core-pair.ts'
import type { SipNetwork } from './sip-network.ts'

/** What a phone's description says. */
export interface PhoneMedia {
  readonly codecs?: readonly ('PCMU' | 'PCMA' | 'G722' | 'G729' | 'telephone-event')[]
  readonly direction?: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'
  readonly address?: string
  readonly port?: number
  /** Whole m-sections that stand after the audio. */
  readonly more?: readonly string[]
  readonly protocol?: string
  /** Values of `a=crypto`. */
  readonly crypto?: readonly string[]
}

const NUMBERS = { PCMU: 0, PCMA: 8, G722: 9, G729: 18, 'telephone-event': 96 } as const

/** A session description as body. */
export function phoneSdp(media: PhoneMedia = {}): SipBody {
  const codecs = media.codecs ?? ['PCMU', 'PCMA', 'telephone-event']
  const lines = [
    'v=0',
    'o=phone 1 1 IN IP4 192.0.2.1',
    's=-',
    `c=IN IP4 ${media.address ?? '192.0.2.1'}`,
    't=0 0',
    `m=audio ${media.port ?? 4000} ${media.protocol ?? 'RTP/AVP'} ${codecs.map((codec) => NUMBERS[codec]).join(' ')}`,
    ...codecs.map((codec) => `a=rtpmap:${NUMBERS[codec]} ${codec}/8000`),
    ...(media.crypto ?? []).map((line) => `a=crypto:${line}`),
    ...(media.direction === undefined ? [] : [`a=${media.direction}`]),
    ...(media.more ?? []),
  ]
  return { contentType: 'application/sdp', content: new TextEncoder().encode(`${lines.join('\r\n')}\r\n`) }
}

/** Text of a message's body. */
export function bodyText(message: { readonly body: Uint8Array } | undefined): string {
  return new TextDecoder().decode(message?.body)
}

/** One dialog of a phone, or its attempt. */
export class PhoneCall {
  readonly progress: SipResponse[] = []
  /** In-dialog requests; answered by `onRequest`. */
  readonly requests: IncomingRequest[] = []
  invite: ClientInvite | undefined
  incoming: ServerInvite | undefined
  dialog: InviteDialog | undefined
  accepted: SipResponse | undefined
  early: EarlyDialog | undefined
  failed: RequestOutcome | undefined
  end: DialogEnd | undefined
  acks = 0
  isCancelled = false
  cancelReason: string | undefined
  /** The phone's answer to a re-INVITE; what it says when it is asked to change. */
  answer: (offer: string) => SipBody = (offer) => phoneSdp({ direction: reversed(offer) })

  /** Takes a dialog and keeps what happens on it. */
  adopt(dialog: InviteDialog): void {
    this.dialog = dialog
    dialog.handlers = this.handlers()
  }

  handlers(): InviteDialog['handlers'] {
    return {
      onAck: () => {
        this.acks += 1
      },
      onRequest: (incoming) => {
        this.requests.push(incoming)
        const { method } = incoming.request
        if (method === 'INVITE') incoming.respond(200, { body: this.answer(bodyText(incoming.request)) })
        else incoming.respond(200)
      },
      onEnd: (end) => {
        this.end = end
      },
    }
  }

  /** Answers a call that came in. */
  accept(body: SipBody = phoneSdp(), headers: HeaderList = []): void {
    if (this.incoming === undefined) throw new Error('nothing to accept')
    this.dialog = this.incoming.accept(this.handlers(), { body, headers })
  }

  /** Bodies of the re-INVITEs received. */
  offers(): string[] {
    return this.requests
      .filter((incoming) => incoming.request.method === 'INVITE')
      .map((incoming) => bodyText(incoming.request))
  }
}

/** A phone: makes calls, keeps calls that come in. */
export class TestPhone {
  readonly incoming: PhoneCall[] = []
  readonly core: SipCore
  readonly log: MemoryLogger
  readonly ip: string

  constructor(network: SipNetwork, clock: ManualClock, ip: string, options: Partial<SipCoreOptions> = {}) {
    this.ip = ip
    const { core, log } = attachCore(
      network,
      clock,
      ip,
      { onInvite: (invite) => this.#onInvite(invite) },
      { supported: ['timer', 'siprec', 'replaces'], ...options },
    )
    this.core = core
    this.log = log
  }

  /** Places a call; without `body` the INVITE has no offer. `ackBody` then answers. */
  call(
    uri: string,
    options: { body?: SipBody; headers?: HeaderList; from?: string; maxForwards?: number; ackBody?: SipBody } = {},
  ): PhoneCall {
    const call = new PhoneCall()
    const { ackBody, from, ...rest } = options
    call.invite = this.core.invite(
      { uri, from: from ?? '"Alice" <sip:alice@phones.example>', ...rest },
      {
        onProgress: (response, early) => {
          call.progress.push(response)
          call.early = early
        },
        onAccepted: (dialog, response) => {
          call.accepted = response
          call.adopt(dialog)
        },
        ...(ackBody !== undefined && { ackBody: () => ackBody }),
        onFailed: (outcome) => {
          call.failed = outcome
        },
      },
    )
    return call
  }

  #onInvite(invite: ServerInvite): void {
    const call = new PhoneCall()
    call.incoming = invite
    invite.onCancel = (cancel) => {
      call.isCancelled = true
      call.cancelReason = cancel?.headers.get('Reason')
    }
    this.incoming.push(call)
  }
}

function reversed(offer: string): NonNullable<PhoneMedia['direction']> {
  if (/a=sendonly/.test(offer)) return 'recvonly'
  if (/a=recvonly/.test(offer)) return 'sendonly'
  return /a=inactive/.test(offer) ? 'inactive' : 'sendrecv'
}
