// The headers of a profile, filled in for one recording.

import type { HeaderList } from '#sip'

/** What headers may tell of a recording; an empty text is not known. */
export interface HeaderFacts {
  /** The page's "Call Recording ID". */
  readonly recordingId: string
  /** The gateway's id of the call. */
  readonly callId: string
  /** Id of the communication session, in hexadecimal digits. */
  readonly sessionId: string
}

/** Puts the facts in the places of their names; a header that needs one which is not known is left out. */
export function filledHeaders(headers: HeaderList, facts: HeaderFacts): HeaderList {
  return headers.flatMap(([name, value]) => {
    let isComplete = true
    const filled = value.replace(/\{(recordingId|callId|sessionId)\}/g, (_place, fact: keyof HeaderFacts) => {
      isComplete &&= facts[fact] !== ''
      return facts[fact]
    })
    return isComplete ? [[name, filled] as const] : []
  })
}
