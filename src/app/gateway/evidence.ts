// Evidence of recording sessions that fail: a capture of each, on a shelf of bounded length.

import { CaptureCollector, type RecordingClient } from '#recording-client'
import { CaptureShelf } from '../capture-shelf.ts'
import type { GatewayConfig } from '../config-schema.ts'
import { product, type Surroundings } from '../sip-role.ts'
import { gatewayCore } from './gateway-sip.ts'

/** The shelf, and what fills it. */
export interface Evidence {
  readonly shelf: CaptureShelf
  close(): Promise<void>
}

/** Collects from now on, unless none are kept. */
export function openEvidence(
  config: GatewayConfig,
  client: RecordingClient,
  { clock, ids, log }: Pick<Surroundings, 'clock' | 'ids' | 'log'>,
): Evidence {
  const { keep, folder } = config.recording.captures
  const shelf = new CaptureShelf({ keep, folder, log })
  if (keep === 0) return { shelf, close: async () => {} }
  const collector = new CaptureCollector({
    clock,
    ids,
    product,
    core: gatewayCore,
    events: client.events,
    recordingsOf: (callId) => client.recordingsOf(callId),
    onCapture: (bundle) => shelf.add(bundle),
  })
  return {
    shelf,
    close: async () => {
      collector.close()
      await shelf.close()
    },
  }
}
