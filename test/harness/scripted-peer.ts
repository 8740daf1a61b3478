// A SIP peer that does only what the test tells it, in raw text: it sees retransmissions and sends what no stack would.

import { parseMessage, type SipFlow, type SipMessage, type SipTarget, type TransportName } from '#sip'
import type { NetworkNode } from './sip-network.ts'

/** A message as it arrived. */
export interface Received {
  readonly atMs: number
  readonly flow: SipFlow
  readonly text: string
  readonly message: SipMessage
}

/** Parts of a request to send; what is left out gets a plausible value. */
export interface RequestParts {
  readonly uri?: string
  readonly from?: string
  readonly to?: string
  readonly callId?: string
  readonly cseq?: number
  readonly branch?: string
  /** Whole Via value. */
  readonly via?: string
  readonly contact?: string
  readonly headers?: readonly string[]
  readonly contentType?: string
  readonly body?: string
}

/** Parts of a response to send. */
export interface ResponseParts {
  /** To-tag, when the request has none. */
  readonly tag?: string
  readonly reason?: string
  readonly contact?: string
  readonly headers?: readonly string[]
  readonly contentType?: string
  readonly body?: string
}

/** Where to send; the port and the transport default to 5060 and udp. */
export interface Destination {
  readonly host: string
  readonly port?: number
  readonly transport?: TransportName
}

/** Keeps what it receives until the test takes it. */
export class ScriptedPeer {
  readonly ip: string
  readonly inbox: Received[] = []
  readonly failures: string[] = []
  /** Called for each message, for answers that must come at once. */
  onMessage: ((received: Received) => void) | undefined
  readonly #node: NetworkNode
  readonly #nowMs: () => number
  #serial = 0

  constructor(node: NetworkNode, nowMs: () => number) {
    this.ip = node.ip
    this.#node = node
    this.#nowMs = nowMs
  }

  receive(bytes: Uint8Array, flow: SipFlow): void {
    const parsed = parseMessage(bytes, { transport: flow.transport === 'udp' ? 'datagram' : 'stream' })
    if (!parsed.ok) throw new Error(`peer got a malformed message: ${parsed.error.message}`)
    const text = Buffer.from(bytes).toString('utf8')
    const received: Received = { atMs: this.#nowMs(), flow, text, message: parsed.value }
    this.inbox.push(received)
    this.onMessage?.(received)
  }

  /** Removes and returns the first message of a method or status, such as `INVITE` or `200`; fails when there is none. */
  take(what: string | number): Received {
    const index = this.inbox.findIndex((received) => isOf(received, what))
    if (index >= 0) return this.inbox.splice(index, 1)[0]!
    throw new Error(`${this.ip} has no ${what}; it has: ${this.inbox.map(label).join(', ') || 'nothing'}`)
  }

  /** Number of messages of a method or status still in the inbox. */
  count(what: string | number): number {
    return this.inbox.filter((received) => isOf(received, what)).length
  }

  /** Methods and statuses in the inbox, in order. */
  labels(): string[] {
    return this.inbox.map(label)
  }

  /** Sends text as it is; line ends may be written as \n. */
  send(text: string, to: Destination): void {
    const transport = to.transport ?? 'udp'
    const target: SipTarget = { transport, host: to.host, port: to.port ?? 5060 }
    this.#node.transport.sendTo(target, wireBytes(text), (reason) => void this.failures.push(reason))
  }

  /** Sends a request made of `parts`; returns its text, to be sent again. */
  request(method: string, to: Destination, parts: RequestParts = {}): string {
    const text = this.requestText(method, to, parts)
    this.send(text, to)
    return text
  }

  requestText(method: string, to: Destination, parts: RequestParts = {}): string {
    this.#serial += 1
    const transport = (to.transport ?? 'udp').toUpperCase()
    const branch = parts.branch ?? `z9hG4bK-${this.ip}-${this.#serial}`
    return messageText(
      `${method} ${parts.uri ?? `sip:service@${to.host}`} SIP/2.0`,
      [
        `Via: ${parts.via ?? `SIP/2.0/${transport} ${this.ip}:5060;branch=${branch};rport`}`,
        'Max-Forwards: 70',
        `From: ${parts.from ?? `<sip:peer@${this.ip}>;tag=peer-tag`}`,
        `To: ${parts.to ?? `<sip:service@${to.host}>`}`,
        `Call-ID: ${parts.callId ?? `call-${this.ip}`}`,
        `CSeq: ${parts.cseq ?? 1} ${method}`,
        `Contact: ${parts.contact ?? this.contact(to.transport)}`,
        ...(parts.headers ?? []),
      ],
      parts.contentType ?? 'application/sdp',
      parts.body,
    )
  }

  /** Answers a request over the flow it came by; returns the text, to be sent again with `sendBack`. */
  respond(received: Received, status: number, parts: ResponseParts = {}): string {
    const { headers } = received.message
    const to = headers.get('to') ?? ''
    const tag = parts.tag === undefined || to.includes(';tag=') ? '' : `;tag=${parts.tag}`
    const text = messageText(
      `SIP/2.0 ${status} ${parts.reason ?? 'Scripted'}`,
      [
        ...headers.all('via').map((via) => `Via: ${via}`),
        `From: ${headers.get('from') ?? ''}`,
        `To: ${to}${tag}`,
        `Call-ID: ${headers.get('call-id') ?? ''}`,
        `CSeq: ${headers.get('cseq') ?? ''}`,
        `Contact: ${parts.contact ?? this.contact(received.flow.transport)}`,
        ...(parts.headers ?? []),
      ],
      parts.contentType ?? 'application/sdp',
      parts.body,
    )
    this.sendBack(received, text)
    return text
  }

  /** Sends text over the flow that a message came by. */
  sendBack(received: Received, text: string): void {
    this.#node.transport.sendBack(received.flow, wireBytes(text), (reason) => void this.failures.push(reason))
  }

  /** Answers the next INVITEs with 491, `times` of them, then 200; fills in the waits in between, for a delay of 1 ms. */
  answerGlare(times: number): number[] {
    const waitsMs: number[] = []
    let lastMs: number | undefined
    this.onMessage = (received) => {
      if (!isOf(received, 'INVITE')) return
      if (lastMs !== undefined) waitsMs.push(received.atMs - lastMs - 2)
      lastMs = received.atMs
      this.respond(received, waitsMs.length < times ? 491 : 200)
    }
    return waitsMs
  }

  contact(transport: TransportName = 'udp'): string {
    return `<sip:peer@${this.ip}:5060${transport === 'udp' ? '' : `;transport=${transport}`}>`
  }
}

function messageText(startLine: string, lines: readonly string[], contentType: string, body = ''): string {
  const type = body === '' ? [] : [`Content-Type: ${contentType}`]
  const length = `Content-Length: ${Buffer.byteLength(body)}`
  return [startLine, ...lines, ...type, length, '', body].join('\r\n')
}

function wireBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replace(/\r?\n/g, '\r\n'), 'utf8'))
}

function isOf({ message }: Received, what: string | number): boolean {
  return message.kind === 'request' ? message.method === what : String(message.status) === String(what)
}

function label({ message }: Received): string {
  return message.kind === 'request' ? message.method : String(message.status)
}
