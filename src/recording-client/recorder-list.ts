// The page's "Call Recording Server" parameter: one SIP URI or a comma-separated list of them.

import { parseNameAddr, parseSipUri, type SipUri, sameUri } from '#sip'

/** One entry of the list: a usable URI, or the reason why it is none. */
export type RecorderEntry =
  | { readonly uri: string; readonly target: SipUri; readonly valid: true }
  | { readonly uri: string; readonly valid: false; readonly reason: string }

/** The longest list taken; more recorders than this are a mistake. */
const maxRecorders = 16
const tooMany = `more than ${maxRecorders} recorders in one list`

/**
 * Splits at commas outside `<>` and quotes, trims, drops doubles. Empty when nothing was named; the literal `undefined`, which a
 * missing value becomes in some senders, counts as nothing.
 */
export function parseRecorderList(text: string): RecorderEntry[] {
  const entries: RecorderEntry[] = []
  for (const item of splitList(text)) {
    if (item === '' || item === 'undefined') continue
    const entry = parseEntry(item)
    if (entries.some((known) => isSame(known, entry))) continue
    entries.push(entries.length < maxRecorders ? entry : { uri: entry.uri, valid: false, reason: tooMany })
  }
  return entries
}

function isSame(a: RecorderEntry, b: RecorderEntry): boolean {
  return a.uri === b.uri || (a.valid && b.valid && sameUri(a.target, b.target))
}

/** A URI, or a name-addr: `"Recorder" <sip:…>`. */
function parseEntry(item: string): RecorderEntry {
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

function splitList(text: string): string[] {
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
    else if (char === ',' && depth === 0) {
      items.push(text.slice(start, at).trim())
      start = at + 1
    }
  }
  items.push(text.slice(start).trim())
  return items
}
