// What the recording client knows of its recorders, made from the configuration.

import { createDestinationPolicy } from '#call'
import type { RecordersView, SpoolView } from '#control'
import { AppError } from '#kernel'
import { type RecorderCredentials, RecorderProbes, RecorderRegistry, type RecordingClient } from '#recording-client'
import type { SipCore } from '#sip'
import type { GatewayConfig, ProfileConfig } from './config-schema.ts'
import { readPassword } from './recorder-password.ts'
import { profileOf } from './recorder-presets.ts'
import type { Surroundings } from './sip-role.ts'

/** Makes the registry; rejects with AppError `config.password-unreadable`. */
export async function openRecorders({ recording }: GatewayConfig, around: Surroundings): Promise<RecorderRegistry> {
  const rules = await Promise.all(
    recording.profiles.map(async (written) => ({
      hosts: written.match,
      profile: { ...profileOf(written), ...(await credentialsOf(written)) },
    })),
  )
  const registry = new RecorderRegistry({
    profiles: rules,
    failover: recording.failover,
    clock: around.clock,
    log: around.log.child({ role: 'recording-client' }),
  })
  registry.watch(configured(recording))
  return registry
}

/** Starts OPTIONS to the configured recorders; undefined when it is switched off. */
export function startProbes(
  { recording, destinations }: GatewayConfig,
  ports: { readonly core: SipCore; readonly recorders: RecorderRegistry; readonly from: string },
  { clock, ids, log }: Surroundings,
): RecorderProbes | undefined {
  const { intervalMs, timeoutMs } = recording.health
  if (intervalMs === 0) return undefined
  return new RecorderProbes({
    ...ports,
    uris: configured(recording),
    intervalMs,
    timeoutMs,
    destinations: createDestinationPolicy(destinations.record),
    clock,
    ids,
    log: log.child({ role: 'recording-client' }),
  })
}

/** The recorders as the HTTP API shows them. */
export function recordersView(registry: RecorderRegistry): RecordersView {
  return {
    list: () =>
      registry.list().map(({ sinceMs, skippedUntilMs, latest, ...recorder }) => ({
        ...recorder,
        ...(sinceMs === undefined ? {} : { since: iso(sinceMs) }),
        ...(skippedUntilMs === undefined ? {} : { skippedUntil: iso(skippedUntilMs) }),
        ...(latest === undefined
          ? {}
          : { latest: { status: latest.status, cause: latest.cause, at: iso(latest.atMs) } }),
      })),
  }
}

/** What waits in the spool, as the HTTP API shows it. */
export function spoolView(client: Pick<RecordingClient, 'spooled'>): SpoolView {
  return {
    list: () =>
      client.spooled.map(({ sinceMs, nextTryAtMs, ...spooled }) => ({
        ...spooled,
        since: iso(sinceMs),
        ...(nextTryAtMs === undefined ? {} : { nextTryAt: iso(nextTryAtMs) }),
      })),
  }
}

function configured({ recorders, failover }: GatewayConfig['recording']): string[] {
  return [...new Set([...recorders, ...failover.flat()])]
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

async function credentialsOf({
  name,
  credentials,
}: ProfileConfig): Promise<{ readonly credentials?: RecorderCredentials }> {
  if (credentials === undefined) return {}
  const password = await readPassword(credentials)
  if (!password.ok) {
    const verdict = { result: 'client', reason: 'password-unreadable' } as const
    throw new AppError('config.password-unreadable', `recorder profile ${name}: ${password.error.expected}`, verdict)
  }
  const { username, allowMd5 } = credentials
  return { credentials: { username, password: password.value, allowMd5 } }
}
