// A recording client that is nothing but text: it writes one INVITE byte by byte, as vendors do and no stack would.

import assert from 'node:assert/strict'
import { type ParsedSdp, parseSdp } from '#sdp'
import { parseMessage, type SipMessage, type TransportName } from '#sip'
import { RECORDER_IP, type RecorderBench } from './recorder.ts'
import { portOf } from './sip-network.ts'

/** The client's address on the network in memory. */
export const RAW_CLIENT_IP = '192.0.2.60'

/** What is in the first INVITE; what is left out is as RFC 7866 wants it. */
export interface RawInvite {
  /** The header lines, given those of a client that keeps the RFC. */
  readonly head?: (lines: string[]) => string[]
  readonly sdp?: string
  /** The metadata document; undefined: none. */
  readonly xml?: string | undefined
  /** Replaces the whole body. */
  readonly body?: { readonly contentType: string; readonly text: string }
  /** Changes the finished text. */
  readonly text?: (text: string) => string
  /** Added to the true Content-Length. */
  readonly lengthError?: number
  readonly lineEnd?: '\n' | '\r\n'
  readonly transport?: TransportName
}

/** An m-line over SRTP, with a key of its label's own (RFC 4568), to go behind `sdpText`. */
export function securedLine(label: string): string {
  return [
    `m=audio 4000${label} RTP/SAVP 0`,
    'a=sendonly',
    `a=label:${label}`,
    `a=crypto:${label} AES_CM_128_HMAC_SHA1_80 inline:${Buffer.alloc(30, Number(label)).toString('base64')}`,
    '',
  ].join('\n')
}

/** The description that a client sends which keeps the RFC, for some labels. */
export function sdpText(
  labels: readonly string[] = ['1', '2'],
  attributes: readonly string[] = ['a=sendonly'],
): string {
  return [
    'v=0',
    'o=client 7 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    ...labels.flatMap((label, at) => [
      `m=audio ${40_000 + 2 * at} RTP/AVP 0`,
      'a=rtpmap:0 PCMU/8000',
      ...attributes,
      ...(label === '' ? [] : [`a=label:${label}`]),
    ]),
    '',
  ].join('\n')
}

/** A message of the client, and what it heard. */
export class RawClient {
  readonly heard: SipMessage[] = []
  readonly #bench: RecorderBench
  readonly #transport: TransportName
  readonly #send: (bytes: Uint8Array) => void
  readonly #callId: string
  readonly #ip: string
  #cseq = 1

  constructor(bench: RecorderBench, transport: TransportName = 'tcp', ip: string = RAW_CLIENT_IP) {
    this.#bench = bench
    this.#transport = transport
    this.#ip = ip
    this.#callId = ip === RAW_CLIENT_IP ? 'raw-client' : `raw-client-${ip}`
    const node = bench.network.attach(`raw-${ip}`, ip, [transport])
    node.bind({
      receive: (bytes) => {
        const parsed = parseMessage(bytes)
        // What the recorder has to copy from a damaged request may not be readable.
        if (parsed.ok) this.heard.push(parsed.value)
      },
    })
    this.#send = (bytes) => {
      const target = { transport, host: RECORDER_IP, port: portOf(transport) }
      node.transport.sendTo(target, bytes, (reason) => assert.fail(reason))
    }
  }

  /** Sends the INVITE and waits for the final answer, which it acknowledges. */
  async invite(options: RawInvite): Promise<SipMessage & { kind: 'response' }> {
    const ofOurs = (text: string): string =>
      text.replaceAll(RAW_CLIENT_IP, this.#ip).replace('Call-ID: raw-client', `Call-ID: ${this.#callId}`)
    const { text = (whole) => whole } = options
    this.#send(inviteBytes({ ...options, text: (whole) => ofOurs(text(whole)) }, this.#transport))
    return await this.#final()
  }

  /** Sends bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.#send(bytes)
  }

  /** Sends a request within the dialog and waits for its final answer. */
  async request(
    method: string,
    headers: readonly string[] = [],
    body = '',
  ): Promise<SipMessage & { kind: 'response' }> {
    this.#cseq += 1
    this.#send(Buffer.from(this.#inDialog(method, this.#cseq, headers, body)))
    return await this.#final()
  }

  /** The answer that came with a 200. */
  answerOf(response: SipMessage): ParsedSdp {
    const answer = parseSdp(response.body)
    assert.ok(answer.ok, 'the answer can be read')
    return answer.value
  }

  async #final(): Promise<SipMessage & { kind: 'response' }> {
    const isFinal = (message: SipMessage): message is SipMessage & { kind: 'response' } =>
      message.kind === 'response' &&
      message.status >= 200 &&
      (message.headers.get('CSeq') ?? '').startsWith(`${this.#cseq} `)
    await this.#bench.until(() => this.heard.some(isFinal))
    const final = this.heard.find(isFinal)!
    const isInvite = (final.headers.get('CSeq') ?? '').endsWith('INVITE')
    if (isInvite && final.status < 300) {
      this.#to = final.headers.get('To') ?? ''
      this.#send(Buffer.from(this.#inDialog('ACK', this.#cseq, [], '')))
    }
    return final
  }

  #to = `<sip:recorder@${RECORDER_IP}>`

  #inDialog(method: string, cseq: number, headers: readonly string[], body: string): string {
    return [
      `${method} sip:recorder@${RECORDER_IP} SIP/2.0`,
      `Via: SIP/2.0/${this.#transport.toUpperCase()} ${this.#ip};branch=z9hG4bK-raw-${method}-${cseq}`,
      'Max-Forwards: 70',
      'From: <sip:src@client.test>;tag=raw',
      `To: ${this.#to}`,
      `Call-ID: ${this.#callId}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: <sip:src@${this.#ip}>;+sip.src`,
      ...headers,
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n')
  }
}

/** The bytes of an INVITE. */
export function inviteBytes(options: RawInvite, transport: TransportName = 'tcp'): Uint8Array {
  const { head = (lines) => lines, lineEnd = '\r\n', lengthError = 0, text = (whole) => whole } = options
  const { contentType, text: body } = options.body ?? defaultBody(options)
  const written = body.replace(/\r?\n/g, lineEnd)
  const lines = head([
    `INVITE sip:recorder@${RECORDER_IP} SIP/2.0`,
    `Via: SIP/2.0/${transport.toUpperCase()} ${RAW_CLIENT_IP};branch=z9hG4bK-raw`,
    'Max-Forwards: 70',
    'From: <sip:src@client.test>;tag=raw',
    `To: <sip:recorder@${RECORDER_IP}>`,
    'Call-ID: raw-client',
    'CSeq: 1 INVITE',
    `Contact: <sip:src@${RAW_CLIENT_IP}>;+sip.src`,
    'Require: siprec',
    'Accept: application/sdp, application/rs-metadata+xml',
    'Date: Mon, 02 Mar 2026 10:00:00 GMT',
    `Content-Type: ${contentType}`,
    `Content-Length: ${Buffer.byteLength(written) + lengthError}`,
  ])
  return Buffer.from(text([...lines, '', written].join(lineEnd)))
}

function defaultBody({ sdp = sdpText(), xml }: RawInvite): { contentType: string; text: string } {
  if (xml === undefined) return { contentType: 'application/sdp', text: sdp }
  return { contentType: 'multipart/mixed;boundary=raw', text: multipart([sdpPart(sdp), xmlPart(xml)]) }
}

/** Parts in a multipart with the boundary `raw`. */
export function multipart(parts: readonly string[], end = '--raw--\n'): string {
  return [...parts.map((part) => `--raw\n${part}\n`), end].join('')
}

/** A part with the description. */
export function sdpPart(sdp = sdpText()): string {
  return `Content-Type: application/sdp\nContent-Disposition: session;handling=required\n\n${sdp}`
}

/** A part with the metadata. */
export function xmlPart(xml: string, type = 'application/rs-metadata+xml'): string {
  return `Content-Type: ${type}\nContent-Disposition: recording-session\n\n${xml}`
}

/** Ids in base64 that stand for something in tests, by a letter. */
export function idOf(letter: string): string {
  return Buffer.from(letter.repeat(16)).toString('base64')
}

/** The metadata of a call of two with the labels 1 and 2, as RFC 7865 writes it. */
export function callXml(change: (xml: string) => string = (xml) => xml): string {
  const [call, ann, ben, one, two] = ['c', 'a', 'b', '1', '2'].map(idOf)
  return change(`<?xml version="1.0" encoding="UTF-8"?>
<recording xmlns="urn:ietf:params:xml:ns:recording:1">
<datamode>complete</datamode>
<session session_id="${call}"><start-time>2026-03-02T10:00:00Z</start-time></session>
<participant participant_id="${ann}"><nameID aor="sip:ann@client.test"><name>Ann</name></nameID></participant>
<participant participant_id="${ben}"><nameID aor="sip:ben@client.test"><name>Ben</name></nameID></participant>
<stream stream_id="${one}" session_id="${call}"><label>1</label></stream>
<stream stream_id="${two}" session_id="${call}"><label>2</label></stream>
<sessionrecordingassoc session_id="${call}"><associate-time>2026-03-02T10:00:00Z</associate-time></sessionrecordingassoc>
<participantsessionassoc participant_id="${ann}" session_id="${call}"><associate-time>2026-03-02T10:00:00Z</associate-time></participantsessionassoc>
<participantsessionassoc participant_id="${ben}" session_id="${call}"><associate-time>2026-03-02T10:00:00Z</associate-time></participantsessionassoc>
<participantstreamassoc participant_id="${ann}"><send>${one}</send><recv>${two}</recv><associate-time>2026-03-02T10:00:00Z</associate-time></participantstreamassoc>
<participantstreamassoc participant_id="${ben}"><send>${two}</send><recv>${one}</recv><associate-time>2026-03-02T10:00:00Z</associate-time></participantstreamassoc>
</recording>
`)
}
