// What a party's user agent says of itself in its Contact (RFC 3840), for the metadata (RFC 7865 section 6.6, RFC 4235 section 4.1.6.2).

import { parseNameAddr, type SipHeaders, unquote } from '#sip'

/** A media feature: its tag without `+`, its value unquoted; `true` for a tag without value. */
export interface Capability {
  readonly name: string
  readonly value: string
}

/** Contact parameters that are tags of the base set (RFC 3840 section 9); every other tag begins with `+`. */
const BASE_TAGS: ReadonlySet<string> = new Set(
  (
    'actor application audio automata class control data description duplex events extensions isfocus language methods ' +
    'mobility priority schemes text type video'
  ).split(' '),
)
/** Names the device, not what it can do (RFC 5626 section 4.1). */
const INSTANCE = '+sip.instance'
const MOST = 32
const MOST_TEXT = 256

/** The features of a message's first Contact; none where it has no readable one. */
export function capabilitiesOf(headers: SipHeaders): readonly Capability[] {
  const contact = parseNameAddr(headers.list('Contact')[0] ?? '')
  if (!contact.ok) return []
  const tags = [...contact.value.params].filter(([name, value = '']) => {
    const isTag = name.startsWith('+') ? name !== INSTANCE : BASE_TAGS.has(name)
    return isTag && name.length <= MOST_TEXT && value.length <= MOST_TEXT
  })
  return tags.slice(0, MOST).map(([name, value]) => ({ name: name.replace('+', ''), value: textOf(value) }))
}

/** Whether two agents can the same. */
export function areSameCapabilities(a: readonly Capability[], b: readonly Capability[]): boolean {
  return a.length === b.length && a.every(({ name, value }, at) => name === b[at]?.name && value === b[at].value)
}

function textOf(written: string | undefined): string {
  const text = unquote(written ?? 'true')
  if (/^(true|false)$/i.test(text)) return text.toLowerCase()
  return text.startsWith('<') && text.endsWith('>') ? text.slice(1, -1) : text
}
