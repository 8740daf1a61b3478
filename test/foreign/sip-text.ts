// SIP messages as text: RFC 3261 section 7 reading and writing, and section 18.3 framing. Headers keep their order and spelling.

/** One header field, as it stood on the wire. */
export type Header = readonly [name: string, value: string]

/** A message taken apart; `method` is empty in a response and `status` 0 in a request. */
export type SipText = {
  readonly method: string
  readonly uri: string
  readonly status: number
  readonly reason: string
  readonly headers: readonly Header[]
  readonly body: Buffer
  readonly raw: Buffer
}

const COMPACT: Record<string, string> = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  m: 'contact',
  c: 'content-type',
  l: 'content-length',
  k: 'supported',
  e: 'content-encoding',
  s: 'subject',
}
const HEAD_END = Buffer.from('\r\n\r\n')

function canonical(name: string): string {
  const lower = name.trim().toLowerCase()
  return COMPACT[lower] ?? lower
}

/** Reads one whole message; undefined when it is none. */
export function parseSip(raw: Buffer): SipText | undefined {
  const headEnd = raw.indexOf(HEAD_END)
  if (headEnd < 0) return undefined
  const [startLine = '', ...lines] = raw
    .subarray(0, headEnd)
    .toString('utf8')
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
  const headers: Header[] = []
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon <= 0) return undefined
    headers.push([line.slice(0, colon).trim(), line.slice(colon + 1).trim()])
  }
  const body = raw.subarray(headEnd + 4)
  const words = startLine.split(' ')
  if (startLine.startsWith('SIP/2.0 ')) {
    const status = Number(words[1])
    return { method: '', uri: '', status, reason: words.slice(2).join(' '), headers, body, raw }
  }
  if (words.length !== 3 || words[2] !== 'SIP/2.0') return undefined
  return { method: words[0] ?? '', uri: words[1] ?? '', status: 0, reason: '', headers, body, raw }
}

/** Writes a message; Content-Length is counted over the bytes of the body. */
export function buildSip(startLine: string, headers: readonly Header[], body: Buffer = Buffer.alloc(0)): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}`)
  const head = [startLine, ...lines, `Content-Length: ${body.length}`].join('\r\n')
  return Buffer.concat([Buffer.from(head), HEAD_END, body])
}

/** Every value of a header, by its long or compact name. */
export function headersOf(message: SipText, name: string): string[] {
  const wanted = canonical(name)
  return message.headers.filter(([field]) => canonical(field) === wanted).map(([, value]) => value)
}

/** The first value of a header. */
export function headerOf(message: SipText, name: string): string | undefined {
  return headersOf(message, name)[0]
}

/** The tokens of a comma-separated header, over all its lines, in lower case. */
export function tokensOf(message: SipText, name: string): string[] {
  return headersOf(message, name)
    .flatMap((value) => value.split(','))
    .map((token) => token.trim().toLowerCase())
    .filter((token) => token !== '')
}

/** A name-addr: the URI with its own parameters, and the header parameters behind it (RFC 3261 section 20.10). */
type NameAddr = {
  readonly uri: string
  readonly params: ReadonlyMap<string, string>
  readonly bracketed: boolean
}

/** Reads `"x" <uri>;param` or `uri;param`. */
export function parseNameAddr(value: string): NameAddr {
  const open = value.indexOf('<')
  const close = value.indexOf('>', open)
  const bracketed = open >= 0 && close > open
  const semicolon = value.indexOf(';')
  const uri = bracketed ? value.slice(open + 1, close) : semicolon < 0 ? value : value.slice(0, semicolon)
  const rest = bracketed ? value.slice(close + 1) : semicolon < 0 ? '' : value.slice(semicolon)
  return { uri: uri.trim(), params: parseParams(rest), bracketed }
}

/** Reads `;a;b=c`; names in lower case, flags with an empty value. */
export function parseParams(text: string): Map<string, string> {
  const params = new Map<string, string>()
  for (const piece of text.split(';').slice(1)) {
    const equals = piece.indexOf('=')
    const name = (equals < 0 ? piece : piece.slice(0, equals)).trim().toLowerCase()
    if (name !== '') params.set(name, equals < 0 ? '' : piece.slice(equals + 1).trim())
  }
  return params
}

/** The tag of From or To. */
export function tagOf(message: SipText, name: 'From' | 'To'): string {
  return parseNameAddr(headerOf(message, name) ?? '').params.get('tag') ?? ''
}

/** The number and the method of CSeq. */
export function cseqOf(message: SipText): { readonly number: number; readonly method: string } {
  const [number = '', method = ''] = (headerOf(message, 'CSeq') ?? '').split(/\s+/)
  return { number: Number(number), method }
}

/** The branch of the topmost Via. */
export function branchOf(message: SipText): string {
  return parseParams(headerOf(message, 'Via') ?? '').get('branch') ?? ''
}

/** Where a `sip:` URI points; port 5060 when none is written. */
export function addressOf(uri: string): { readonly host: string; readonly port: number } {
  const hostPort =
    (
      uri
        .replace(/^sips?:/, '')
        .split('@')
        .at(-1) ?? ''
    ).split(';')[0] ?? ''
  const colon = hostPort.lastIndexOf(':')
  return colon < 0
    ? { host: hostPort, port: 5060 }
    : { host: hostPort.slice(0, colon), port: Number(hostPort.slice(colon + 1)) }
}

/** Cuts a byte stream into messages by Content-Length; CRLF between messages is a keep-alive. */
export class StreamFramer {
  #rest = Buffer.alloc(0)

  push(chunk: Buffer): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, chunk])
    const messages: Buffer[] = []
    for (;;) {
      while (this.#rest.length >= 2 && this.#rest[0] === 13 && this.#rest[1] === 10) this.#rest = this.#rest.subarray(2)
      const headEnd = this.#rest.indexOf(HEAD_END)
      if (headEnd < 0) return messages
      const head = this.#rest.subarray(0, headEnd).toString('latin1')
      const length = /^(?:content-length|l)[ \t]*:[ \t]*(\d+)[ \t]*$/im.exec(head)?.[1]
      const total = headEnd + 4 + Number(length ?? 0)
      if (this.#rest.length < total) return messages
      messages.push(this.#rest.subarray(0, total))
      this.#rest = this.#rest.subarray(total)
    }
  }
}
