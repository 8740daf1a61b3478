// What a file holds: a metadata document, a whole SIP message, or headers and a body without the start line.

import { err, ok, type Result } from '#kernel'
import { parseMessage, type SipMessage } from '#sip'

/** A file as it is checked; `bytes` has CRLF line ends if it is a message. */
export type LintFile =
  | { readonly kind: 'document'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'message'
      readonly bytes: Uint8Array
      readonly message: SipMessage
      readonly quirks: readonly FileQuirk[]
    }
  | {
      readonly kind: 'entity'
      readonly bytes: Uint8Array
      readonly body: Uint8Array
      readonly headers: ReadonlyMap<string, string>
    }

/** What had to be repaired to read a message. */
export type FileQuirk = 'line-ends' | 'content-length'

/** Why a file cannot be checked; `isMessage`: it means to be a SIP message. */
export interface FileFault {
  readonly message: string
  readonly isMessage: boolean
  readonly line?: number
}

const MAX_BYTES = 2_000_000
/** What a wrong Content-Length is refused with. */
const LENGTH_FAULTS: readonly string[] = ['short-body', 'bad-content-length', 'too-large']

/** Finds out what a file holds. */
export function readLintFile(bytes: Uint8Array): Result<LintFile, FileFault> {
  if (bytes.length > MAX_BYTES) return unreadable(`larger than ${MAX_BYTES} bytes`)
  const text = new TextDecoder('latin1').decode(bytes)
  const start = text.trimStart()
  const isUtf16 = /^(?:\xfe\xff|\xff\xfe)/.test(text)
  if (isUtf16 || start.startsWith('<') || start.startsWith('\xef\xbb\xbf<')) return ok({ kind: 'document', bytes })
  const firstLine = start.slice(0, Math.max(0, start.search(/\r?\n/)))
  if (firstLine.startsWith('SIP/2.0 ') || firstLine.endsWith(' SIP/2.0')) return messageOf(text)
  if (/^[A-Za-z-]{1,40}[ \t]*:/.test(firstLine)) return ok(entityOf(start))
  return unreadable('neither an XML document nor a SIP message')
}

function unreadable(message: string): Result<never, FileFault> {
  return err({ message, isMessage: false })
}

function messageOf(text: string): Result<LintFile, FileFault> {
  const quirks: FileQuirk[] = []
  const hasBareLf = /(?<!\r)\n/.test(headOf(text))
  if (hasBareLf) quirks.push('line-ends')
  const repaired = bytesOf(hasBareLf ? text.replaceAll(/\r?\n/g, '\r\n') : text)
  const parsed = parseMessage(repaired, { transport: 'datagram' })
  if (parsed.ok && isWhole(repaired, parsed.value)) return message(repaired, parsed.value, quirks)
  if (!parsed.ok && !LENGTH_FAULTS.includes(parsed.error.code)) {
    const line = lineOf(repaired, parsed.error.offset)
    return err({ message: parsed.error.message, isMessage: true, line })
  }
  // Saved from a capture or edited by hand, the length is often off; what there is of a body is the body.
  const cut = bytesOf(withoutLength(new TextDecoder('latin1').decode(repaired)))
  const again = parseMessage(cut, { transport: 'datagram' })
  if (!again.ok) return err({ message: again.error.message, isMessage: true, line: lineOf(cut, again.error.offset) })
  return message(cut, again.value, [...quirks, 'content-length'])
}

function message(bytes: Uint8Array, value: SipMessage, quirks: readonly FileQuirk[]): Result<LintFile, FileFault> {
  return ok({ kind: 'message', bytes, message: value, quirks })
}

/** Whether the body reaches to the end of the file, blanks aside. */
function isWhole(bytes: Uint8Array, { body }: SipMessage): boolean {
  const rest = bytes.subarray(body.byteOffset - bytes.byteOffset + body.length)
  return rest.every((byte) => byte === 0x0d || byte === 0x0a || byte === 0x20)
}

// The line stays, under a name that means nothing, so that all others keep their numbers.
function withoutLength(text: string): string {
  const head = headOf(text)
  return head.replace(/^(?:Content-Length|l)(?=[ \t]*:)/gim, 'X-Length') + text.slice(head.length)
}

function headOf(text: string): string {
  const end = text.search(/\r?\n\r?\n/)
  return end < 0 ? text : text.slice(0, end)
}

function entityOf(text: string): LintFile {
  const whole = text.replaceAll(/\r?\n/g, '\r\n')
  const bytes = bytesOf(whole)
  const head = headOf(whole)
  const headers = new Map<string, string>()
  for (const line of head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
  }
  return { kind: 'entity', bytes, body: bytes.subarray(Math.min(bytes.length, head.length + 4)), headers }
}

/** Line of a byte, from 1. */
export function lineOf(bytes: Uint8Array, offset: number): number {
  let line = 1
  for (let at = 0; at < Math.min(offset, bytes.length); at++) if (bytes[at] === 0x0a) line++
  return line
}

function bytesOf(latin1: string): Uint8Array {
  return Uint8Array.from(latin1, (character) => character.charCodeAt(0))
}
