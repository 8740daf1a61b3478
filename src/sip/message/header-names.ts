// Header names: compact forms, and comparison without case (RFC 3261 section 7.3.3 and the extensions that registered more).

/** Long name of each registered compact form. */
const LONG_NAMES: Readonly<Record<string, string>> = {
  a: 'Accept-Contact',
  b: 'Referred-By',
  c: 'Content-Type',
  d: 'Request-Disposition',
  e: 'Content-Encoding',
  f: 'From',
  i: 'Call-ID',
  j: 'Reject-Contact',
  k: 'Supported',
  l: 'Content-Length',
  m: 'Contact',
  n: 'Identity-Info',
  o: 'Event',
  r: 'Refer-To',
  s: 'Subject',
  t: 'To',
  u: 'Allow-Events',
  v: 'Via',
  x: 'Session-Expires',
  y: 'Identity',
}

/** The long form of a compact name; any other name as it is. */
export function longName(name: string): string {
  return name.length === 1 ? (LONG_NAMES[name.toLowerCase()] ?? name) : name
}

/** Whether the name at text[start, start + long.length) is that long name; only ASCII letters are folded. */
export function isNameAt(text: string, start: number, long: string): boolean {
  // Most names are spelled as registered, and the built-in comparison is many times faster.
  if (text.startsWith(long, start)) return true
  for (let at = 0; at < long.length; at++) {
    const code = text.charCodeAt(start + at)
    const difference = code ^ long.charCodeAt(at)
    if (difference !== 0 && (difference !== 0x20 || !isLetter(code))) return false
  }
  return true
}

function isLetter(code: number): boolean {
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x7a
}

/** The headers that every message is checked for, by the index that a line of theirs carries. */
export const KNOWN_NAMES = [
  'Via',
  'From',
  'To',
  'Call-ID',
  'CSeq',
  'Max-Forwards',
  'Contact',
  'Content-Type',
  'Content-Length',
] as const

const KNOWN_INDEXES = new Map<string, number>(KNOWN_NAMES.map((name, index) => [name, index]))

const KNOWN_BYTES = KNOWN_NAMES.map((name) => Buffer.from(name.toLowerCase()))

/** Indexes by length of the name: most lines are none of these, and a length is cheap to compare. */
const KNOWN_BY_LENGTH = Array.from({ length: 15 }, (_, length) =>
  KNOWN_NAMES.flatMap((name, index) => (name.length === length ? [index] : [])),
)

/** Index in KNOWN_NAMES of a long name as registered; undefined for others. */
export function knownIndex(long: string): number | undefined {
  return KNOWN_INDEXES.get(long)
}

/** Index in KNOWN_NAMES of a long name in any case; -1 when it is none of them. */
export function knownIndexOf(long: string): number {
  const isSame = (name: string): boolean => name.length === long.length && isNameAt(long, 0, name)
  return KNOWN_INDEXES.get(long) ?? KNOWN_NAMES.findIndex(isSame)
}

/** Index in KNOWN_NAMES of the token at [start, start + length); -1 when it is none of them. */
export function knownIndexAt(bytes: Buffer, start: number, length: number): number {
  if (length >= KNOWN_BY_LENGTH.length) return -1
  const indexes = KNOWN_BY_LENGTH[length]!
  for (let at = 0; at < indexes.length; at++) {
    const index = indexes[at]!
    if (isTokenAt(bytes, start, KNOWN_BYTES[index]!)) return index
  }
  return -1
}

// Among the bytes of a token, this bit alone tells no two characters of our names apart but the cases of a letter.
function isTokenAt(bytes: Buffer, start: number, lower: Buffer): boolean {
  for (let at = 0; at < lower.length; at++) if ((bytes[start + at]! | 0x20) !== lower[at]) return false
  return true
}
