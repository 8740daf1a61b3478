// The recording client of a gateway and its spool, by the configuration.

import { createDestinationPolicy, type RecordableCall } from '#call'
import { defaultPolicy, parsePolicy, type RecorderRegistry, RecordingClient } from '#recording-client'
import type { SipCore } from '#sip'
import { Spool } from '#spool'
import type { GatewayConfig } from '../config-schema.ts'
import type { Surroundings } from '../sip-role.ts'

/** How long a recording session waits for its last signalling, and for the answer to its BYE. */
const SIGNAL_WAIT_MS = 1_500
const FAREWELL_MS = 2_000

/** What the recording client works on. */
export interface RecordingSide {
  readonly core: SipCore
  readonly domain: string
  readonly recorders: RecorderRegistry
  readonly spool: Spool | undefined
  /** Codecs that the media engine turns into others. */
  readonly transcodes: readonly string[]
  /** Tells the parties of a call that it is recorded. */
  readonly announce: (call: RecordableCall) => void
}

/** Makes the client; a recorder that comes up gets at once what waits for it. */
export function createRecordingClient(
  config: GatewayConfig,
  { domain, spool, ...side }: RecordingSide,
  { clock, ids, log }: Surroundings,
): RecordingClient {
  const { answerDeadlineMs, lateAnswerMs, firstResponseMs, replaySeconds } = config.recording
  const policy = parsePolicy(config.recording.policy)
  const client = new RecordingClient({
    ...side,
    clock,
    ids,
    log: log.child({ role: 'recording-client' }),
    from: fromOf(domain),
    times: {
      answerDeadlineMs,
      lateAnswerMs,
      firstResponseMs,
      signalWaitMs: SIGNAL_WAIT_MS,
      farewellMs: FAREWELL_MS,
    },
    destinations: createDestinationPolicy(config.destinations.record),
    policy: policy.ok ? policy.value : defaultPolicy,
    replayMs: replaySeconds * 1_000,
    preStartMs: config.recording.preStart.seconds * 1_000,
    ...(spool === undefined ? {} : { spool }),
  })
  side.recorders.events.add(({ type }) => {
    if (type === 'recorder.up') client.deliverSpooled()
  })
  return client
}

/** From of what is sent to recorders. */
export function fromOf(domain: string): string {
  return `<sip:src@${domain}>`
}

/** The spool, if there is to be one; rejects with AppError `spool.unusable`. */
export async function openSpool(
  { recording, media }: GatewayConfig,
  { clock, log }: Pick<Surroundings, 'clock' | 'log'>,
): Promise<Spool | undefined> {
  if (recording.spool === undefined) return undefined
  const { folder, keyFile, deliverySpeed, ...limits } = recording.spool
  return await Spool.open({ folder, keyFile, limits, deliverySpeed, media }, { clock, log })
}
