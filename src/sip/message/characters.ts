// Character classes of the RFC 3261 section 25.1 grammar, and scanners built on them.
// Runs that tend to be long are matched in place by one class with a star: linear, with nothing to backtrack into.

const HOST_RUN = /[A-Za-z0-9\-._]*/y
// Of any scheme; `#` is let through although the grammar wants it escaped, as telephone numbers with it are common.
const URI_RUN = /[^\0-\x20"<>\x7f]*/y
const USER_RUN = /[A-Za-z0-9\-_.!~*'()&=+$,;?/%#]*/y
const URI_PARAM_RUN = /[A-Za-z0-9\-_.!~*'()[\]/:&+$%]*/y

export const CR = 0x0d
export const LF = 0x0a
export const QUOTE = 0x22
export const COMMA = 0x2c
export const SEMICOLON = 0x3b
export const COLON = 0x3a
export const EQUALS = 0x3d
export const LESS = 0x3c
export const GREATER = 0x3e
export const SLASH = 0x2f
export const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
export const SPACE = 0x20
const TAB = 0x09

const IS_TOKEN = Uint8Array.from({ length: 256 }, (_, code) =>
  Number(/[A-Za-z0-9\-.!%*_+`'~]/.test(String.fromCharCode(code))),
)

/** The character code at an index, -1 past the end: `charCodeAt` is slow wherever it has once been asked past the end. */
export function codeAt(text: string, at: number): number {
  return at < text.length ? text.charCodeAt(at) : -1
}

/** Index of the first character at or after `from` that cannot be in a token. */
export function skipToken(text: string, from: number): number {
  let at = from
  while (at < text.length && isTokenCode(text.charCodeAt(at))) at++
  return at
}

/** Index of the first character at or after `from` that cannot be in a host name. */
function skipHost(text: string, from: number): number {
  return skipRun(HOST_RUN, text, from)
}

/** Index of the first character at or after `from` that cannot be in a URI of any scheme. */
export function skipUriText(text: string, from: number): number {
  return skipRun(URI_RUN, text, from)
}

/** Index of the first character at or after `from` that is neither space nor tab. */
function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && isSpaceCode(text.charCodeAt(at))) at++
  return at
}

/** Index just after the last character before `end`, but not before `from`, that is neither space nor tab. */
function skipSpaceBack(text: string, from: number, end: number): number {
  let at = end
  while (at > from && isSpaceCode(text.charCodeAt(at - 1))) at--
  return at
}

/** The text without spaces and tabs at its ends; unlike String.trim, it leaves all other characters alone. */
export function trimSpace(text: string): string {
  const start = skipSpace(text, 0)
  return text.slice(start, skipSpaceBack(text, start, text.length))
}

/** Index just after the quoted string that opens at `from`; -1 when it is not closed before `end`. */
export function skipQuoted(text: string, from: number, end: number): number {
  for (let at = from + 1; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at + 1
    if (code === BACKSLASH) at++
  }
  return -1
}

/** Whether the byte may be part of a token. */
function isTokenCode(code: number): boolean {
  return IS_TOKEN[code] === 1
}

/** Whether the text is built like a host name or IPv4 address. */
export function isHostName(text: string): boolean {
  return text !== '' && skipHost(text, 0) === text.length
}

/** Whether the text is a user or password part of a URI with all escapes in place. */
export function isUserText(text: string): boolean {
  return skipRun(USER_RUN, text, 0) === text.length
}

/** Whether the text is a name or value of a URI parameter with all escapes in place. */
export function isUriParamText(text: string): boolean {
  return skipRun(URI_PARAM_RUN, text, 0) === text.length
}

/** Space or tab. */
function isSpaceCode(code: number): boolean {
  return code === SPACE || code === TAB
}

/** The number that text[from, end) writes in decimal digits; -1 when it does not, or when above `max`. */
export function readNumber(text: string, from: number, end: number, max: number): number {
  if (from >= end) return -1
  let value = 0
  for (let at = from; at < end; at++) {
    const digit = text.charCodeAt(at) - 0x30
    if (!(digit >= 0 && digit <= 9)) return -1
    value = value * 10 + digit
    if (value > max) return -1
  }
  return value
}

function skipRun(run: RegExp, text: string, from: number): number {
  run.lastIndex = from
  run.test(text)
  return run.lastIndex
}
