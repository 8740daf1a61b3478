// Times as a manifest has them: to a tenth of a millisecond, and within the recording.

import type { StreamManifest, TimeAccount } from './manifest.ts'

const STEPS_PER_MS = 10

/** The stream with its times rounded, and nothing beyond the recording's end; gaps that begin there are left out. */
export function tidyTimes(stream: StreamManifest, durationMs: number): StreamManifest {
  const { events, others } = stream
  const tidy = (ms: number): number => Math.min(rounded(ms), durationMs)
  return {
    ...stream,
    ...tidySource(stream, durationMs),
    events: events.map((event) => ({ ...event, atMs: tidy(event.atMs), durationMs: rounded(event.durationMs) })),
    ...(others && { others: others.map((other) => ({ ...other, ...tidySource(other, durationMs) })) }),
  }
}

type SourceTimes = Pick<StreamManifest, 'runs' | 'gaps' | 'account' | 'clock' | 'totals'>

function tidySource({ runs, gaps, account, clock, totals }: SourceTimes, durationMs: number): SourceTimes {
  const tidy = (ms: number): number => Math.min(rounded(ms), durationMs)
  const { firstPacketMs, lastPacketMs, pauses } = totals
  return {
    runs: runs.map((run) => ({ ...run, startMs: tidy(run.startMs) })),
    ...(clock && { clock: { driftPpm: rounded(clock.driftPpm), correctedMs: rounded(clock.correctedMs) } }),
    gaps: gaps
      .map((gap) => ({ ...gap, fromMs: tidy(gap.fromMs), toMs: tidy(gap.toMs) }))
      .filter(({ fromMs, toMs }) => toMs > fromMs),
    ...(account && { account: tidyAccount(account) }),
    totals: {
      ...totals,
      ...(firstPacketMs !== undefined && { firstPacketMs: tidy(firstPacketMs) }),
      ...(lastPacketMs !== undefined && { lastPacketMs: tidy(lastPacketMs) }),
      pauses: pauses.map(({ fromMs, toMs, ...pause }) => ({
        fromMs: tidy(fromMs),
        ...(toMs !== undefined && { toMs: tidy(toMs) }),
        ...pause,
      })),
    },
  }
}

function tidyAccount({ audioMs, missingMs }: TimeAccount): TimeAccount {
  const causes = Object.entries(missingMs).map(([cause, ms]) => [cause, rounded(ms)] as const)
  return { audioMs: rounded(audioMs), missingMs: Object.fromEntries(causes.filter(([, ms]) => ms > 0)) }
}

function rounded(ms: number): number {
  return Math.round(ms * STEPS_PER_MS) / STEPS_PER_MS
}
