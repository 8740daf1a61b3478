// The recorders of one gateway: their profiles, who stands in for whom, and how they are.

import { type Clock, Listeners, type Logger, type Result } from '#kernel'
import { parseSipUri, type SipUri, type UriError, uriText } from '#sip'
import { defaultProfile, type RecorderProfile } from '../recorder-profile.ts'
import type { AttemptOutcome, RecorderDirectory } from './recorder-directory.ts'
import { type HealthInput, RecorderHealth, type RecorderState } from './recorder-health.ts'
import { orderOf } from './recorder-order.ts'
import { createProfileChoice, type ProfileRule } from './recorder-profiles.ts'

/** A recorder cannot take itself away for longer. */
const LONGEST_SKIP_MS = 3_600_000
/** Recorders named by calls are many; the least recently used are forgotten. */
const MOST_KNOWN = 1_000
/** Final statuses that tell nothing of an answering recorder: our silence timer, and an overloaded or broken one. */
const FAILURES = new Set([408, 500, 502, 503, 504])
/** Nobody answered; a name that does not resolve says nothing of the recorder. */
const SILENCES = new Set(['timeout', 'transport'])

/** What a registry is made from. */
export interface RecorderRegistryOptions {
  readonly profiles: readonly ProfileRule[]
  /** Lists of recorders that stand in for each other. */
  readonly failover: readonly (readonly string[])[]
  readonly clock: Clock
  readonly log: Logger
}

/** A change of health. */
export interface RecorderHealthEvent {
  readonly type: 'recorder.up' | 'recorder.down'
  readonly recorder: string
}

/** A recorder as shown to operators; times are milliseconds since 1970-01-01 UTC. */
export interface RecorderView {
  /** Without a password. */
  readonly uri: string
  readonly profile: string
  readonly state: RecorderState
  /** Since when the state is so; absent while it is unknown. */
  readonly sinceMs?: number
  /** The recorder asked to be left alone until then. */
  readonly skippedUntilMs?: number
  /** What the latest attempt or probe came to. */
  readonly latest?: { readonly status: number; readonly cause: string; readonly atMs: number }
}

interface Known {
  readonly uri: string
  readonly health: RecorderHealth
  sinceMs?: number
  latest?: RecorderView['latest']
  /** Probes without answer since the last one that had one; undefined as long as none had. */
  silentProbes?: number
}

/** RecorderDirectory with health. */
export class RecorderRegistry implements RecorderDirectory {
  readonly events: Listeners<RecorderHealthEvent>
  readonly profileOf: (recorder: SipUri) => RecorderProfile
  readonly #options: RecorderRegistryOptions
  readonly #known = new Map<string, Known>()
  readonly #silences: Listeners<{ readonly key: string; readonly probes: number }>

  /** Throws AppError `call.bad-destination` when a profile matches what is no host. */
  constructor(options: RecorderRegistryOptions) {
    this.#options = options
    this.profileOf = createProfileChoice(options.profiles)
    const onFault = (fault: unknown): void =>
      options.log.error('a listener of recorder events failed', { fault: `${fault}` })
    this.events = new Listeners(onFault)
    this.#silences = new Listeners(onFault)
  }

  candidates(entry: readonly string[]): readonly string[] {
    const asked = entry.length > 1 ? entry : entry.flatMap((uri) => this.#withStandIns(uri))
    return orderOf(asked, (uri) => this.#known.get(keyOf(uri))?.health, this.#options.clock.nowMs())
  }

  report(uri: string, outcome: AttemptOutcome): void {
    this.#heard(uri, outcome, 'accepted')
  }

  /** Tells how a recorder answered OPTIONS: that it is at work, which is less than that it takes recordings. */
  probed(uri: string, outcome: AttemptOutcome): void {
    this.#heard(uri, outcome, 'answered')
    const known = this.#of(uri)
    if (outcome.cause === 'response') known.silentProbes = 0
    else if (SILENCES.has(outcome.cause) && known.silentProbes !== undefined) {
      known.silentProbes += 1
      this.#silences.emit({ key: keyOf(uri), probes: known.silentProbes })
    }
  }

  onSilence(uri: string, listener: (probes: number) => void): () => void {
    const watched = keyOf(uri)
    return this.#silences.add(({ key, probes }) => {
      if (key === watched) listener(probes)
    })
  }

  #heard(uri: string, outcome: AttemptOutcome, success: 'accepted' | 'answered'): void {
    const known = this.#of(uri)
    known.latest = { status: outcome.status, cause: outcome.cause, atMs: this.#options.clock.wallMs() }
    for (const input of this.#signsOf(outcome, success)) {
      for (const { type } of known.health.handle(input)) this.#tell(known, type)
    }
  }

  /** Makes recorders known before anything is heard of them. */
  watch(uris: readonly string[]): void {
    for (const uri of uris) this.#of(uri)
  }

  list(): RecorderView[] {
    const { clock } = this.#options
    const nowMs = clock.nowMs()
    return [...this.#known.values()].map(({ uri, health, sinceMs, latest }) => {
      const leftMs = health.skippedUntilMs - nowMs
      return {
        uri: shownUri(uri),
        profile: this.#profileName(uri),
        state: health.state,
        ...(sinceMs === undefined ? {} : { sinceMs }),
        ...(leftMs > 0 ? { skippedUntilMs: clock.wallMs() + leftMs } : {}),
        ...(latest === undefined ? {} : { latest }),
      }
    })
  }

  /** The recorder, and those after it in its list, from the end on again from the start. */
  #withStandIns(uri: string): readonly string[] {
    const key = keyOf(uri)
    for (const list of this.#options.failover) {
      const at = list.findIndex((member) => keyOf(member) === key)
      if (at >= 0) return [uri, ...list.slice(at + 1), ...list.slice(0, at)]
    }
    return [uri]
  }

  #signsOf({ status, cause, retryAfterSeconds }: AttemptOutcome, success: 'accepted' | 'answered'): HealthInput[] {
    if (cause === 'cancelled') return []
    if (status < 300) return [{ type: success }]
    if (cause === 'response' && retryAfterSeconds !== undefined && retryAfterSeconds > 0) {
      const skipMs = Math.min(retryAfterSeconds * 1_000, LONGEST_SKIP_MS)
      return [{ type: 'busy', untilMs: this.#options.clock.nowMs() + skipMs }]
    }
    return [{ type: FAILURES.has(status) ? 'failed' : 'answered' }]
  }

  #tell(known: Known, state: 'up' | 'down'): void {
    known.sinceMs = this.#options.clock.wallMs()
    const event: RecorderHealthEvent = { type: `recorder.${state}`, recorder: shownUri(known.uri) }
    const fields = { recorder: event.recorder, status: known.latest?.status, cause: known.latest?.cause }
    if (state === 'down') this.#options.log.warn('recorder is down', fields)
    else this.#options.log.info('recorder is up', fields)
    this.events.emit(event)
  }

  #of(uri: string): Known {
    const key = keyOf(uri)
    const known = this.#known.get(key) ?? { uri, health: new RecorderHealth() }
    this.#known.delete(key)
    this.#known.set(key, known)
    if (this.#known.size > MOST_KNOWN) this.#known.delete(this.#known.keys().next().value!)
    return known
  }

  #profileName(uri: string): string {
    const parsed = parseSipUri(uri)
    return (parsed.ok ? this.profileOf(parsed.value) : defaultProfile).name
  }
}

/** The same for URIs that lead to the same place: who is asked for there makes no difference to its health. */
function keyOf(uri: string): string {
  const parsed = parseSipUri(uri)
  if (!parsed.ok) return uri
  const { scheme, host, port, params } = parsed.value
  return [scheme, host.toLowerCase(), port ?? '', params.get('transport')?.toLowerCase() ?? ''].join(' ')
}

function shownUri(uri: string): string {
  const parsed: Result<SipUri, UriError> = parseSipUri(uri)
  if (!parsed.ok) return ''
  const { password: _password, ...shown } = parsed.value
  return uriText(shown)
}
