// The page's "Call Recording Server" parameter: SIP URIs, `,` between those that record at the same time, `|` between those of
// which one is to record.

import { parseNameAddr, parseSipUri, type SipUri, sameUri } from '#sip'

/** One entry of the list: a usable URI and those that may take its place, in order; or the reason why it is none. */
export type RecorderEntry =
  | { readonly uri: string; readonly target: SipUri; readonly alternatives: readonly string[]; readonly valid: true }
  | { readonly uri: string; readonly valid: false; readonly reason: string }

/** The longest list taken; more recorders than this are a mistake. */
const maxRecorders = 16
const tooMany = `more than ${maxRecorders} recorders in one list`

/**
 * Splits outside `<>` and quotes, trims, drops doubles; an alternative that cannot be used is an entry of its own. Empty when nothing was named; the literal `undefined`, which a
 * missing value becomes in some senders, counts as nothing.
 */
export function parseRecorderList(text: string): RecorderEntry[] {
  const entries: RecorderEntry[] = []
  for (const item of splitList(text, ',')) {
    for (const entry of parseItem(item)) {
      if (entries.some((known) => isSame(known, entry))) continue
      entries.push(entries.length < maxRecorders ? entry : { uri: entry.uri, valid: false, reason: tooMany })
    }
  }
  return entries
}

/** What stands between two commas: the usable recorder with its alternatives, then those that are not usable. */
function parseItem(item: string): RecorderEntry[] {
  const named = splitList(item, '|').filter((text) => text !== '' && text !== 'undefined')
  const distinct: ParsedUri[] = []
  for (const text of named.slice(0, maxRecorders)) {
    const parsed = parseOne(text)
    if (!distinct.some((known) => isSame(known, parsed))) distinct.push(parsed)
  }
  const [first, ...others] = distinct.filter((parsed) => parsed.valid)
  const unusable = distinct.filter((parsed) => !parsed.valid)
  return first === undefined ? unusable : [{ ...first, alternatives: others.map(({ uri }) => uri) }, ...unusable]
}

type ParsedUri =
  | { readonly uri: string; readonly target: SipUri; readonly valid: true }
  | { readonly uri: string; readonly valid: false; readonly reason: string }

function isSame(a: ParsedUri, b: ParsedUri): boolean {
  return a.uri === b.uri || (a.valid && b.valid && sameUri(a.target, b.target))
}

/** A URI, or a name-addr: `"Recorder" <sip:…>`. */
function parseOne(item: string): ParsedUri {
  const address = item.includes('<') ? parseNameAddr(item) : undefined
  const uri = address?.ok ? address.value.uri : item
  const parsed = parseSipUri(uri)
  if (parsed.ok && parsed.value.scheme !== 'tel') return { uri, target: parsed.value, valid: true }
  const reason =
    parsed.ok || parsed.error.code === 'unsupported-scheme' || !/^sips?:/i.test(uri)
      ? 'not a SIP URI: it must begin with sip: or sips:'
      : `not a valid SIP URI: ${parsed.error.message}`
  return { uri, valid: false, reason }
}

function splitList(text: string, separator: ',' | '|'): string[] {
  const items: string[] = []
  let start = 0
  let isQuoted = false
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '"') isQuoted = !isQuoted
    else if (isQuoted) at += char === '\\' ? 1 : 0
    else if (char === '<') depth += 1
    else if (char === '>') depth = Math.max(0, depth - 1)
    else if (char === separator && depth === 0) {
      items.push(text.slice(start, at).trim())
      start = at + 1
    }
  }
  items.push(text.slice(start).trim())
  return items
}
