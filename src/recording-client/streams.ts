// The streams of a recording (design: stream 1 is what the caller says, stream 2 the far side as the caller hears it).

import type { CallParty, CallSnapshot } from '#call'
import type { Tap } from '#engine'
import type { Ids } from '#kernel'

/** A stream of the call, the same towards every recorder for the life of the call. */
export interface CallStream {
  /** `a=label` and metadata label: an SDP token (RFC 4574). */
  readonly label: string
  /** 16 UUID bytes. */
  readonly streamId: Uint8Array
  readonly side: 'caller' | 'far'
}

/** Who speaks into a stream and who hears it at this moment. */
export interface StreamRoles extends CallStream {
  readonly senders: readonly Uint8Array[]
  readonly receivers: readonly Uint8Array[]
}

/** Makes the two streams of a call. */
export function createStreams(ids: Ids): readonly CallStream[] {
  return [
    { label: '1', streamId: ids.uuid(), side: 'caller' },
    { label: '2', streamId: ids.uuid(), side: 'far' },
  ]
}

/** Parties still in the call on the far side: the callee, or the automaton while there is none. */
function farParties(snapshot: CallSnapshot): CallParty[] {
  const present = snapshot.parties.filter((party) => party.role !== 'caller' && party.leftAtMs === undefined)
  const callees = present.filter((party) => party.role === 'callee')
  return callees.length > 0 ? callees : present
}

/**
 * What a stream is copied from. The far side is what we send to the caller; while the caller holds, nothing is sent there, so it
 * is what the callee says.
 */
export function tapOf(stream: CallStream, snapshot: CallSnapshot): Tap {
  const caller = snapshot.parties.findLast((party) => party.role === 'caller')
  const callerLeg = caller?.leg ?? 'caller'
  if (stream.side === 'caller') return { leg: callerLeg, point: 'received' }
  const callee = farParties(snapshot).find((party) => party.role === 'callee')
  if (caller !== undefined && caller.hold !== 'none' && callee !== undefined)
    return { leg: callee.leg, point: 'received' }
  return { leg: callerLeg, point: 'sent' }
}

/** Adds the participants of the moment to the streams; a party that holds hears nothing, a held one says nothing (RFC 8068 3.2.2). */
export function rolesOf(streams: readonly CallStream[], snapshot: CallSnapshot): StreamRoles[] {
  const callers = snapshot.parties.filter((party) => party.role === 'caller' && party.leftAtMs === undefined)
  const far = farParties(snapshot)
  return streams.map((stream) => {
    const [speaking, hearing] = stream.side === 'caller' ? [callers, far] : [far, callers]
    const isHeldByHearer = hearing.length > 0 && hearing.every((party) => party.hold !== 'none')
    return {
      ...stream,
      senders: speaking
        .filter((party) => party.hold !== 'inactive' && !isHeldByHearer)
        .map((party) => party.participantId),
      receivers: hearing.filter((party) => party.hold === 'none').map((party) => party.participantId),
    }
  })
}
