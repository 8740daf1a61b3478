// Reads message bodies: one part or MIME multipart (RFC 2046 section 5.1, RFC 5621), tolerant of slips seen in the field.

const MAX_PARTS = 32
const MAX_DEPTH = 4
const MAX_HEADERS = 64
const LF = 0x0a
const CR = 0x0d
const DASH = 0x2d

/** Type of metadata bodies (RFC 9806 section 2). */
export const METADATA_TYPE = 'application/rs-metadata+xml'
/** The type that RFC 7866 printed, still sent by many. */
export const LEGACY_METADATA_TYPE = 'application/rs-metadata'
/** Disposition of metadata bodies (RFC 7866 section 9.1). */
export const METADATA_DISPOSITION = 'recording-session'

/** One part of a body, or the whole of one that is not multipart. */
export interface BodyPart {
  /** As written; '' if not given. */
  readonly contentType: string
  /** Lower case, without parameters. */
  readonly mediaType: string
  readonly disposition?: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly content: Uint8Array
}

/** Whether the part is recording metadata, by its type or, where that says nothing, its disposition. */
export function isMetadata(part: BodyPart): boolean {
  if ([METADATA_TYPE, LEGACY_METADATA_TYPE, 'application/rs-metadata-request'].includes(part.mediaType)) return true
  return !isSdp(part) && mediaTypeOf(part.disposition ?? '') === METADATA_DISPOSITION
}

/** Whether the part is a session description. */
export function isSdp(part: BodyPart): boolean {
  return part.mediaType === 'application/sdp'
}

/** Splits a body by its Content-Type and Content-Disposition; nested multiparts are flattened. Never fails: faults are warnings. */
export function parseBody(
  contentType: string | undefined,
  disposition: string | undefined,
  body: Uint8Array,
): { parts: BodyPart[]; warnings: string[] } {
  const reader = new BodyReader()
  if (body.length > 0) reader.read(contentType ?? '', disposition, [], body, 0)
  return { parts: reader.parts, warnings: [...reader.warnings] }
}

class BodyReader {
  readonly parts: BodyPart[] = []
  readonly warnings = new Set<string>()

  read(
    contentType: string,
    disposition: string | undefined,
    headers: BodyPart['headers'],
    content: Uint8Array,
    depth: number,
  ): void {
    const mediaType = mediaTypeOf(contentType)
    if (mediaType.startsWith('multipart/')) {
      this.#multipart(contentType, content, depth)
      return
    }
    if (this.parts.length === MAX_PARTS) {
      this.warnings.add(`parts beyond ${MAX_PARTS} were dropped`)
      return
    }
    this.parts.push({ contentType, mediaType, ...(disposition === undefined ? {} : { disposition }), headers, content })
  }

  #multipart(contentType: string, content: Uint8Array, depth: number): void {
    if (depth === MAX_DEPTH) {
      this.warnings.add(`parts nested deeper than ${MAX_DEPTH} were dropped`)
      return
    }
    const boundary = boundaryOf(contentType) ?? this.#firstDelimiter(content)
    if (boundary === undefined) {
      this.warnings.add('multipart without boundary')
      return
    }
    for (const part of this.#split(content, `--${boundary}`)) {
      if (this.parts.length === MAX_PARTS) {
        this.warnings.add(`parts beyond ${MAX_PARTS} were dropped`)
        return
      }
      this.#part(part, depth + 1)
    }
  }

  #firstDelimiter(content: Uint8Array): string | undefined {
    for (const line of linesOf(content)) {
      if (content[line.start] !== DASH || content[line.start + 1] !== DASH) continue
      this.warnings.add('boundary taken from the body')
      return latin1(content.subarray(line.start + 2, line.end)).trimEnd()
    }
    return undefined
  }

  *#split(content: Uint8Array, delimiter: string): Generator<Uint8Array> {
    let start = -1
    for (const line of linesOf(content)) {
      const kind = delimiterKind(content, line, delimiter)
      if (kind === 'none') continue
      if (start >= 0) yield content.subarray(start, Math.max(start, beforeLineEnd(content, line.start)))
      if (kind === 'close') return
      start = line.next
    }
    this.warnings.add('multipart without closing delimiter')
    if (start >= 0 && start < content.length) yield content.subarray(start)
  }

  #part(part: Uint8Array, depth: number): void {
    const headers: [string, string][] = []
    let contentStart = part.length
    for (const line of linesOf(part)) {
      const text = latin1(part.subarray(line.start, line.end))
      const colon = text.indexOf(':')
      const last = headers.at(-1)
      contentStart = line.next
      if (text.trim() === '') break
      if (/^[ \t]/.test(text) && last !== undefined) last[1] = `${last[1]} ${text.trim()}`
      else if (colon > 0 && headers.length < MAX_HEADERS)
        headers.push([text.slice(0, colon).trim(), text.slice(colon + 1).trim()])
      else {
        this.warnings.add('part without a blank line after its headers')
        contentStart = line.start
        break
      }
    }
    const value = (name: string): string | undefined => headers.find(([each]) => each.toLowerCase() === name)?.[1]
    const contentType = value('content-type') ?? value('c')
    if (contentType === undefined) this.warnings.add('part without Content-Type')
    const disposition = value('content-disposition')
    this.read(contentType ?? '', disposition, headers, part.subarray(contentStart), depth)
  }
}

interface Line {
  readonly start: number
  /** End without CR and LF. */
  readonly end: number
  /** Start of the next line. */
  readonly next: number
}

function* linesOf(bytes: Uint8Array): Generator<Line> {
  let start = 0
  while (start < bytes.length) {
    const lf = bytes.indexOf(LF, start)
    const next = lf < 0 ? bytes.length : lf + 1
    const end = lf < 0 ? bytes.length : beforeLineEnd(bytes, next)
    yield { start, end, next }
    start = next
  }
}

function beforeLineEnd(bytes: Uint8Array, position: number): number {
  const end = bytes[position - 1] === LF ? position - 1 : position
  return end < position && bytes[end - 1] === CR ? end - 1 : end
}

function delimiterKind(bytes: Uint8Array, line: Line, delimiter: string): 'none' | 'open' | 'close' {
  if (line.end - line.start < delimiter.length) return 'none'
  for (let index = 0; index < delimiter.length; index++) {
    if (bytes[line.start + index] !== delimiter.charCodeAt(index)) return 'none'
  }
  const rest = latin1(bytes.subarray(line.start + delimiter.length, Math.min(line.end, line.start + 1000))).trimEnd()
  if (rest === '') return 'open'
  return rest === '--' ? 'close' : 'none'
}

function boundaryOf(contentType: string): string | undefined {
  const match = /;\s*boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType)
  return (match?.[1] ?? match?.[2])?.trimEnd() || undefined
}

function mediaTypeOf(headerValue: string): string {
  return headerValue.split(';')[0]!.trim().toLowerCase()
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes)
}
