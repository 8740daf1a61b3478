// SIP messages as the ladder reads them: first line, headers, and the parts of the body that may change from one to the next.

/** A message for the ladder. */
export interface SipText {
  /** `INVITE`, or `200 OK` with the method that it answers. */
  readonly title: string
  readonly isError: boolean
  readonly sdp: string | undefined
  /** Recording metadata (RFC 7865), an element on each line. */
  readonly metadata: string | undefined
}

/** Reads a message; whatever it is, there is a title. */
export function sipTextOf(text: string): SipText {
  const end = text.search(/\r?\n\r?\n/)
  const head = end < 0 ? text : text.slice(0, end)
  const body = end < 0 ? '' : text.slice(end).trimStart()
  const firstLine = head.split(/\r?\n/, 1)[0] ?? ''
  const [, status, reason = ''] = /^SIP\/2\.0 (\d{3}) ?(.*)$/.exec(firstLine) ?? []
  const method = /^cseq\s*:\s*\d+\s+(\w+)/im.exec(head)?.[1] ?? ''
  const title = status === undefined ? (firstLine.split(' ', 1)[0] ?? '?') : `${status} ${reason} (${method})`
  const sdp = /(?:^|\r?\n)(v=0\r?\n[\s\S]*?)(?=\r?\n\r?\n|\r?\n--|$)/.exec(body)?.[1]
  const metadata = /<(?:\?xml|recording\b)[\s\S]*<\/recording>/.exec(body)?.[0]
  return {
    title,
    isError: status !== undefined && Number(status) >= 400,
    sdp: sdp?.replaceAll('\r', ''),
    metadata: metadata?.replaceAll('\r', '').replaceAll(/>\s*</g, '>\n<'),
  }
}
