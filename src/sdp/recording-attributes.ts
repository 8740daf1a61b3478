// The attributes of recording awareness: `a=record` and `a=recordpref` (RFC 7866 sections 7.1.2, 7.1.3 and 7.3).

import { attributeOf, type SdpAttribute, type SdpMedia, type SessionDescription } from './session-description.ts'

/** What `a=record` tells a party about its media. */
export type RecordState = 'on' | 'paused' | 'off'

/** What a party asks for by `a=recordpref`. */
export type RecordPreference = 'on' | 'off' | 'pause' | 'nopreference'

const STATES: readonly RecordState[] = ['on', 'paused', 'off']
const PREFERENCES: readonly RecordPreference[] = ['on', 'off', 'pause', 'nopreference']

/** State told for a medium, by its own attribute or that of the session; undefined when nothing known is said. */
export function recordStateOf(media: SdpMedia, session: SessionDescription): RecordState | undefined {
  return named('record', STATES, media.attributes) ?? named('record', STATES, session.attributes)
}

/** Preference for a medium, by its own attribute or that of the session; undefined when none is said. */
export function recordPreferenceOf(media: SdpMedia, session: SessionDescription): RecordPreference | undefined {
  return named('recordpref', PREFERENCES, media.attributes) ?? named('recordpref', PREFERENCES, session.attributes)
}

/** The attribute that tells a state. */
export function recordAttribute(state: RecordState): SdpAttribute {
  return { name: 'record', value: state }
}

/** The strongest of several states, since a party is recorded if anybody records it; undefined when there is none. */
export function strongestRecord(states: readonly (RecordState | undefined)[]): RecordState | undefined {
  return STATES.find((state) => states.includes(state))
}

function named<T extends string>(name: string, known: readonly T[], attributes: SdpMedia['attributes']): T | undefined {
  const value = attributeOf(attributes, name)?.trim().toLowerCase()
  return known.find((one) => one === value)
}
