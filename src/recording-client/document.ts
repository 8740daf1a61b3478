// The document of a recording session as it is to be sent now.

import { withoutPrivateIdentities } from '#call'
import { writeMetadata } from '#siprec'
import { buildMetadata, type MetadataFacts } from './metadata-builder.ts'
import type { SessionPlan } from './session-port.ts'
import { rolesOf } from './streams.ts'

/** The complete document of a session at this moment of its call, as bytes. */
export function documentFor(
  plan: SessionPlan,
  moment: Pick<MetadataFacts, 'associatedAtMs' | 'disassociatedAtMs' | 'jambonzWrapper'>,
): Uint8Array {
  const known = plan.call.snapshot()
  const snapshot = plan.profile.trustedNetwork ? known : withoutPrivateIdentities(known)
  const streams = rolesOf(plan.streams, snapshot)
  return writeMetadata(buildMetadata({ snapshot, streams, recordingId: plan.recordingId, ...moment }))
}
