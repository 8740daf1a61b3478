// Digits sent by INFO: the two body types in wide use, `application/dtmf-relay` and `application/dtmf`.

import type { SipRequest } from '#sip'

const MAX_BODY_BYTES = 256

/** Whether a request carries a digit in its body. */
export function isDigitInfo(request: SipRequest): boolean {
  const type = mediaTypeOf(request)
  return type === 'application/dtmf-relay' || type === 'application/dtmf'
}

/** The digit of a digit INFO; undefined when the body makes no sense. */
export function digitOfInfo(request: SipRequest): string | undefined {
  if (request.body.length > MAX_BODY_BYTES) return undefined
  const text = new TextDecoder().decode(request.body)
  if (mediaTypeOf(request) === 'application/dtmf') return asDigit(text.trim())
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=')
    if (equals > 0 && line.slice(0, equals).trim().toLowerCase() === 'signal')
      return asDigit(line.slice(equals + 1).trim())
  }
  return undefined
}

function mediaTypeOf(request: SipRequest): string {
  const type = request.headers.get('Content-Type') ?? ''
  const semicolon = type.indexOf(';')
  return (semicolon < 0 ? type : type.slice(0, semicolon)).trim().toLowerCase()
}

function asDigit(text: string): string | undefined {
  if (/^[0-9*#A-Da-d]$/.test(text)) return text.toUpperCase()
  if (text === '10') return '*'
  if (text === '11') return '#'
  return undefined
}
