// Character classes of the RFC 3261 section 25.1 grammar as one table, and the scanners built on it.

const TOKEN = 1
const USER = 2
const HOST = 4
const URI_PARAM = 8

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const MARK = "-_.!~*'()"

const CLASSES = new Uint8Array(128)
mark(`${ALPHANUMERIC}-.!%*_+\`'~`, TOKEN)
mark(`${ALPHANUMERIC + MARK}&=+$,;?/%`, USER)
mark(`${ALPHANUMERIC}-._`, HOST)
mark(`${ALPHANUMERIC + MARK}[]/:&+$%`, URI_PARAM)

function mark(characters: string, bit: number): void {
  for (let i = 0; i < characters.length; i++) CLASSES[characters.charCodeAt(i)]! |= bit
}

export const CR = 0x0d
export const LF = 0x0a
export const SPACE = 0x20
export const TAB = 0x09
export const QUOTE = 0x22
export const BACKSLASH = 0x5c
export const COMMA = 0x2c
export const SEMICOLON = 0x3b
export const COLON = 0x3a
export const EQUALS = 0x3d
export const LESS = 0x3c
export const GREATER = 0x3e
export const SLASH = 0x2f
export const QUESTION = 0x3f
export const DELETE = 0x7f
export const OPEN_BRACKET = 0x5b

/** Index of the first character at or after `from` that cannot be in a token; `end` at most. */
export function skipToken(text: string, from: number, end = text.length): number {
  return skipClass(text, from, end, TOKEN)
}

/** Whether the character may be part of a token. */
export function isTokenCode(code: number): boolean {
  return code < 128 && (CLASSES[code]! & TOKEN) !== 0
}

/** Whether the text is one token. */
export function isToken(text: string): boolean {
  return text !== '' && skipToken(text, 0) === text.length
}

/** Whether the character may stand unescaped in the user part of a URI. */
export function isUserCode(code: number): boolean {
  return code < 128 && (CLASSES[code]! & USER) !== 0
}

/** Whether the character may stand unescaped in a URI parameter. */
export function isUriParamCode(code: number): boolean {
  return code < 128 && (CLASSES[code]! & URI_PARAM) !== 0
}

/** Whether the text is built like a host name or IPv4 address. */
export function isHostName(text: string): boolean {
  return text !== '' && skipHost(text, 0) === text.length
}

/** Index of the first character at or after `from` that cannot be in a host name. */
export function skipHost(text: string, from: number): number {
  return skipClass(text, from, text.length, HOST)
}

/** Index of the first character at or after `from` that is neither space nor tab. */
export function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && isSpaceCode(text.charCodeAt(at))) at++
  return at
}

/** Index just after the last character before `end`, but not before `from`, that is neither space nor tab. */
export function skipSpaceBack(text: string, from: number, end: number): number {
  let at = end
  while (at > from && isSpaceCode(text.charCodeAt(at - 1))) at--
  return at
}

/** Space or tab. */
export function isSpaceCode(code: number): boolean {
  return code === SPACE || code === TAB
}

/** A decimal digit. */
export function isDigitCode(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** Index of the first character at or after `from` that is no digit. */
export function skipDigits(text: string, from: number): number {
  let at = from
  while (isDigitCode(text.charCodeAt(at))) at++
  return at
}

/** The number that text[from, end) writes in decimal digits; -1 when it does not, or when above `max`. */
export function readNumber(text: string, from: number, end: number, max: number): number {
  if (from >= end) return -1
  let value = 0
  for (let at = from; at < end; at++) {
    const code = text.charCodeAt(at)
    if (!isDigitCode(code)) return -1
    value = value * 10 + (code - 0x30)
    if (value > max) return -1
  }
  return value
}

/** Index just after the quoted string that opens at `from`; -1 when it is never closed. */
export function skipQuoted(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === BACKSLASH) at++
    else if (code === QUOTE) return at + 1
  }
  return -1
}

function skipClass(text: string, from: number, end: number, bit: number): number {
  let at = from
  while (at < end) {
    const code = text.charCodeAt(at)
    if (code > 127 || (CLASSES[code]! & bit) === 0) break
    at++
  }
  return at
}
