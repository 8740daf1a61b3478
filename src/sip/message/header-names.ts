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
