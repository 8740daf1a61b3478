// Messages as bytes (RFC 3261 section 7). Unknown headers and the order of lines are kept; Content-Length is ours.

import type { SipMessage } from './message.ts'

const encoder = new TextEncoder()

/** Writes a message; Content-Length is set from the body, at the place where the headers have it, else last. */
export function serializeMessage(message: SipMessage): Uint8Array {
  let head =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0\r\n`
      : `SIP/2.0 ${message.status} ${oneLine(message.reason)}\r\n`
  let hasLength = false
  for (const line of message.headers.lines) {
    if (!line.isNamed('Content-Length')) head += `${line.name}: ${line.value}\r\n`
    else if (!hasLength) {
      hasLength = true
      head += `Content-Length: ${message.body.length}\r\n`
    }
  }
  head += hasLength ? '\r\n' : `Content-Length: ${message.body.length}\r\n\r\n`
  if (message.body.length === 0) return encoder.encode(head)
  const encoded = encoder.encode(head)
  const bytes = new Uint8Array(encoded.length + message.body.length)
  bytes.set(encoded)
  bytes.set(message.body, encoded.length)
  return bytes
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ')
}
