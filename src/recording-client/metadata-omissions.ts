// What a recorder is not told of the people in a call, by its profile (RFC 7866 section 9.1, RFC 7865 section 10; SRC-59, SEC-25).

import { ANONYMOUS, type CallSnapshot } from '#call'

/** `names`: display names; `numbers`: addresses, in whose place stands the one of RFC 3323 for nobody. */
export type Omission = 'names' | 'numbers'

/** The snapshot without what is to be left out; ids, roles and times stay, so that the document stays valid. */
export function withOmissions(snapshot: CallSnapshot, omit: readonly Omission[]): CallSnapshot {
  if (omit.length === 0) return snapshot
  // What the caller's INVITE said (History-Info, Diversion, Identity) has names and numbers in it.
  const { facts: _facts, ...rest } = snapshot
  return {
    ...rest,
    parties: snapshot.parties.map((party) => {
      const { displayName, aors, ...known } = party
      const hasName = displayName !== undefined && !omit.includes('names')
      return { ...known, ...(hasName && { displayName }), aors: omit.includes('numbers') ? [ANONYMOUS] : aors }
    }),
  }
}
