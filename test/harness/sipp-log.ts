// SIPp's log of messages, read as the messages that it holds: what came to a peer's socket, and what the peer sent.

import { readBody } from '../foreign/message-rules.ts'
import { parseSdp, type SdpText } from '../foreign/sdp-text.ts'
import { parseSip, type SipText } from '../foreign/sip-text.ts'

const ENTRY = /^-{20,} (\S+ \S+)\n\S+ message (received|sent) [[(](\d+)(?:\] bytes |\s*bytes\)):\n\n/gm

/** A message of the log. */
export interface LoggedMessage {
  readonly isReceived: boolean
  /** Wall-clock time, in milliseconds. */
  readonly atMs: number
  readonly message: SipText
}

/** A request that came to the peer with a description, a document or both. */
export interface LoggedBody extends LoggedMessage {
  readonly sdp: SdpText | undefined
  readonly xml: string | undefined
}

/** One that has an offer. */
export interface LoggedOffer extends LoggedBody {
  readonly sdp: SdpText
}

/** The messages of a log in their order; one that is still being written is left out. */
export function messagesIn(log: string): LoggedMessage[] {
  const bytes = Buffer.from(log)
  return [...bytes.toString('latin1').matchAll(ENTRY)].flatMap(({ 0: head, 1: at, 2: way, 3: length, index }) => {
    const raw = bytes.subarray(index + head.length, index + head.length + Number(length))
    const message = raw.length === Number(length) ? parseSip(raw) : undefined
    return message === undefined ? [] : [{ isReceived: way === 'received', atMs: Date.parse(`${at}`), message }]
  })
}

/** The requests of a log that carry a description, a document or both. */
export function bodiesIn(log: string): LoggedBody[] {
  return messagesIn(log).flatMap((one) => {
    if (!one.isReceived || !['INVITE', 'UPDATE'].includes(one.message.method)) return []
    const { sdp, metadata } = readBody(one.message)
    const xml = metadata?.content.toString('utf8')
    return sdp === undefined && xml === undefined
      ? []
      : [{ ...one, sdp: sdp === undefined ? undefined : parseSdp(sdp), xml }]
  })
}

/** Those of them with an offer. */
export function offersIn(log: string): LoggedOffer[] {
  return bodiesIn(log).flatMap((one) => (one.sdp === undefined ? [] : [{ ...one, sdp: one.sdp }]))
}
