// The Reason header (RFC 3326), read and written as far as two legs need to tell each other why.

import { type HeaderList, quote, type SipRequest, type SipResponse, unquote } from '#sip'

/** One reason value. */
export interface EndReason {
  readonly protocol: string
  readonly cause: number
  readonly text: string
}

/** The party sent nothing for too long (Q.850 cause 102, recovery on timer expiry). */
export const NO_MEDIA: EndReason = { protocol: 'Q.850', cause: 102, text: 'No media' }

/** The media engine gave the call up (Q.850 cause 41, temporary failure). */
export const MEDIA_FAILURE: EndReason = { protocol: 'Q.850', cause: 41, text: 'Media failure' }

/** The peer's answer to our offer was missing or of no use. */
export const NO_USABLE_ANSWER: EndReason = { protocol: 'SIP', cause: 488, text: 'No usable answer' }

/** An ordinary hang-up of ours, with a word about it (Q.850 cause 16). */
export function normalClearing(text: string): EndReason {
  return { protocol: 'Q.850', cause: 16, text }
}

const MAX_VALUES = 4
const MAX_TEXT_LENGTH = 120

/** The first reason of a message that has a numeric cause. */
export function reasonOf(message: SipRequest | SipResponse | undefined): EndReason | undefined {
  for (const value of message?.headers.list('Reason').slice(0, MAX_VALUES) ?? []) {
    const reason = parseReason(value)
    if (reason !== undefined) return reason
  }
  return undefined
}

/** The Reason headers of a message from one leg, to be put into the message that ends the other. */
export function copiedReasons(message: SipRequest | SipResponse | undefined): HeaderList {
  const values = message?.headers.list('Reason').slice(0, MAX_VALUES) ?? []
  return values.filter((value) => parseReason(value) !== undefined).map((value) => ['Reason', value] as const)
}

/** A Reason header of our own. */
export function reasonHeader(reason: EndReason): HeaderList {
  const text = quote(reason.text.replaceAll(/\p{Cc}/gu, ' ').slice(0, MAX_TEXT_LENGTH))
  return [['Reason', `${reason.protocol};cause=${reason.cause};text=${text}`]]
}

/** Parses one value; undefined without protocol or numeric cause. */
export function parseReason(value: string): EndReason | undefined {
  const fields = splitOutsideQuotes(value)
  const protocol = fields[0]?.trim() ?? ''
  if (!/^[A-Za-z0-9.!%*_+`'~-]{1,32}$/.test(protocol)) return undefined
  let cause: number | undefined
  let text = ''
  for (const field of fields.slice(1)) {
    const equals = field.indexOf('=')
    if (equals < 0) continue
    const name = field.slice(0, equals).trim().toLowerCase()
    const content = field.slice(equals + 1).trim()
    if (name === 'cause' && /^\d{1,3}$/.test(content)) cause = Number(content)
    if (name === 'text') text = unquote(content)
  }
  return cause === undefined ? undefined : { protocol, cause, text }
}

function splitOutsideQuotes(value: string): string[] {
  const fields: string[] = []
  let start = 0
  let quoted = false
  for (let i = 0; i < value.length; i++) {
    const character = value[i]
    if (quoted && character === '\\') i++
    else if (character === '"') quoted = !quoted
    else if (character === ';' && !quoted) {
      fields.push(value.slice(start, i))
      start = i + 1
    }
  }
  fields.push(value.slice(start))
  return fields
}
