// The encodings that a call can carry; nothing is transcoded, so both legs must share them.

/** Named telephone events (RFC 4733). */
export const TELEPHONE_EVENT = 'TELEPHONE-EVENT/8000'

/** Encodings that the engine can also play and record in. */
const G711: readonly string[] = ['PCMU/8000', 'PCMA/8000']

/** Encodings of calls that a flow may talk to. */
export const PLAYED: readonly string[] = [...G711, TELEPHONE_EVENT]

const OPUS = 'OPUS/48000/2'

/** Encodings of calls between two parties, in our order of preference; G.722 and Opus are only relayed. */
export const RELAYED: readonly string[] = [...G711, 'G722/8000', OPUS, TELEPHONE_EVENT]

/** The payload type we offer for an encoding that the peer has not numbered yet (RFC 3551 section 6; 101 by custom). */
export const OFFERED_PAYLOAD_TYPES: Readonly<Record<string, number>> = {
  'PCMU/8000': 0,
  'PCMA/8000': 8,
  'G722/8000': 9,
  [OPUS]: 111,
  [TELEPHONE_EVENT]: 101,
}

/** The encodings that carry voice. */
export function voiceOf(encodings: readonly string[]): string[] {
  return encodings.filter((encoding) => encoding !== TELEPHONE_EVENT)
}

/** Whether any of the encodings carries voice. */
export function hasVoice(encodings: readonly string[]): boolean {
  return voiceOf(encodings).length > 0
}

/** What a flow answers: the first G.711 offered, and telephone events if offered. */
export function playable(offered: readonly string[]): string[] {
  const voice = offered.find((encoding) => G711.includes(encoding))
  if (voice === undefined) return []
  return offered.includes(TELEPHONE_EVENT) ? [voice, TELEPHONE_EVENT] : [voice]
}
