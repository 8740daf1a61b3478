// The recording clients of the recorder as the HTTP API shows them.

import { createDestinationPolicy } from '#call'
import type { RecorderClientsView } from '#control'
import { type RecordingServer, type RefusedInvitation, type RefusedInvitations, verdictText } from '#recording-server'
import { parseSipUri } from '#sip'
import type { Catalogue, RecordingFacts, RecordingStore } from '#store'

/** What the view is made of. */
export interface RecorderClientsViewOptions {
  readonly server: RecordingServer
  readonly refusals: RefusedInvitations
  readonly store: RecordingStore
  readonly catalogue: Pick<Catalogue, 'get'>
  /** Hosts that may be invited. */
  readonly invite: readonly string[]
}

/** Builds the view. */
export function createRecorderClientsView(options: RecorderClientsViewOptions): RecorderClientsView {
  const { server, refusals, store, catalogue } = options
  const destinations = createDestinationPolicy(options.invite)
  const factsOf = async (recordingId: string): Promise<RecordingFacts | undefined> => {
    const live = (await server.sessions()).find((session) => session.recordingId === recordingId)
    if (live !== undefined) return live.facts
    const folder = (await catalogue.get(recordingId))?.folder
    return folder === undefined ? undefined : (await store.manifest(folder))?.facts
  }
  return {
    refusals: () => refusals.list().map(summaryOf),
    refusal: (refusalId) => {
      const refused = refusals.get(refusalId)
      return refused && { ...summaryOf(refused), message: new TextDecoder().decode(refused.message) }
    },
    invite: async (target) => {
      const uri = parseSipUri(target)
      if (!uri.ok || !destinations.allows(uri.value)) return { status: 403, reason: 'target not in recorder.invite' }
      const invited = await server.invite(target)
      return invited.ok ? { recordingId: invited.value } : invited.error
    },
    verdict: async (recordingId) => {
      const facts = await factsOf(recordingId)
      if (facts?.verdict === undefined) return undefined
      const { vendor, vendorEvidence, kind, outcome, deviations, costs } = facts.verdict
      return {
        vendor,
        vendorEvidence: [...vendorEvidence],
        kind,
        outcome,
        deviations: deviations.map((deviation) => ({ ...deviation })),
        costs: [...costs],
        text: verdictText(facts.verdict, facts.sip),
      }
    },
  }
}

function summaryOf({ refusalId, atMs, source, transport, status, reason }: RefusedInvitation) {
  return { refusalId, at: new Date(atMs).toISOString(), source, transport, status, reason }
}
