// The page's "Call Recording Server" parameter: one SIP URI or a comma-separated list of them.

import { parseSipUri, type SipUri } from '#sip'

/** One entry of the list: a usable URI, or the reason why it is none. */
export type RecorderEntry =
  | { readonly uri: string; readonly target: SipUri; readonly valid: true }
  | { readonly uri: string; readonly valid: false; readonly reason: string }

/** The longest list taken; more recorders than this are a mistake. */
const maxRecorders = 16

/**
 * Splits at commas outside `<>` and quotes, trims, drops doubles. Empty when nothing was named; the literal `undefined`, which a
 * missing value becomes in some senders, counts as nothing.
 */
export function parseRecorderList(text: string): RecorderEntry[] {
  const entries = new Map<string, RecorderEntry>()
  for (const item of splitList(text)) {
    if (item === '' || item === 'undefined' || entries.has(item)) continue
    if (entries.size === maxRecorders) break
    entries.set(item, parseEntry(item))
  }
  return [...entries.values()]
}

function parseEntry(item: string): RecorderEntry {
  const bare = item.startsWith('<') && item.endsWith('>') ? item.slice(1, -1) : item
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(bare)?.[1]?.toLowerCase()
  if (scheme !== 'sip' && scheme !== 'sips') {
    return { uri: item, valid: false, reason: 'not a SIP URI: it must begin with sip: or sips:' }
  }
  const parsed = parseSipUri(bare)
  if (!parsed.ok) return { uri: item, valid: false, reason: `not a valid SIP URI: ${parsed.error.message}` }
  return { uri: bare, target: parsed.value, valid: true }
}

function splitList(text: string): string[] {
  const items: string[] = []
  let start = 0
  let isQuoted = false
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '"') isQuoted = !isQuoted
    else if (isQuoted) continue
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
