// A call as it may be told to those outside the trust domain (RFC 3325 section 7): who asked for privacy has no name there.

import { ANONYMOUS } from './identity.ts'
import type { CallSnapshot } from './recordable-call.ts'

/** The snapshot without the identities of parties that asked for privacy. */
export function withoutPrivateIdentities(snapshot: CallSnapshot): CallSnapshot {
  if (!snapshot.parties.some((party) => party.isPrivate === true)) return snapshot
  const { facts: _facts, ...rest } = snapshot
  return {
    ...rest,
    parties: snapshot.parties.map((party) => {
      if (party.isPrivate !== true) return party
      const { displayName: _name, capabilities: _agent, ...known } = party
      return { ...known, aors: [ANONYMOUS] }
    }),
  }
}
