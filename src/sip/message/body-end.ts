// Where a multipart body says that it ends, for messages whose Content-Length says something else (RFC 2046 section 5.1.1).

import { LF } from './characters.ts'

const BOUNDARY = /^multipart\/[^;]+;(?:.*;)?[ \t]*boundary[ \t]*=[ \t]*(?:"([^"]{1,70})"|([^";\s]{1,70}))/i
const START_LINE = /^(?:SIP\/2\.0 \d{3} |[A-Z]+ [^\s]+ SIP\/2\.0\r?$)/m

/** The closing delimiter of a body of that Content-Type; undefined when it is no multipart. */
export function closingDelimiter(contentType: string | undefined): Uint8Array | undefined {
  const match = BOUNDARY.exec(contentType?.trim() ?? '')
  const boundary = match?.[1] ?? match?.[2]
  return boundary === undefined ? undefined : Buffer.from(`--${boundary}--`, 'latin1')
}

/** Index after the closing delimiter and the end of its line, as far as there is one, between `from` and `to`; -1 without a delimiter. */
export function bodyEnd(bytes: Uint8Array, from: number, to: number, delimiter: Uint8Array): number {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, to)
  for (let at = body.indexOf(delimiter, from); at >= 0; at = body.indexOf(delimiter, at + 1)) {
    if (at > from && body[at - 1] !== LF) continue
    const rest = body.subarray(at + delimiter.length, to).toString('latin1')
    const line = /^[ \t]*(?:\r?\n|\r?$)/.exec(rest)?.[0]
    if (line !== undefined) return at + delimiter.length + line.length
  }
  return -1
}

/** Whether another message begins between `from` and `to`. */
export function hasStartLine(bytes: Uint8Array, from: number, to: number): boolean {
  return START_LINE.test(Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.max(0, to - from)).toString('latin1'))
}
