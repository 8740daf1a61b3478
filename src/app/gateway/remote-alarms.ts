// Alarms of our recorders in other programs, asked for by HTTP while there are recording sessions that they could be about.

import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { type Clock, type Logger, messageOf, type Timer } from '#kernel'
import type { StandingAlarm } from '../call-recording-view.ts'
import type { GatewayConfig } from '../config-schema.ts'
import { bodyWithin } from '../http-body.ts'
import { isSecretNamed, requireSecret } from '../http-secret.ts'

const INTERVAL_MS = 2_000
const PATIENCE_MS = 5_000
const MAX_BYTES = 32_000_000

/** The HTTP API of a recorder. */
export interface RecorderApi {
  /** Where it is, without the path. */
  readonly url: string
  /** A token with the scope recordings:read. */
  readonly token?: string
}

/** What is asked, and when. */
export interface RemoteAlarmsOptions {
  readonly apis: readonly RecorderApi[]
  /** Whether there are recording sessions now. */
  readonly isWanted: () => boolean
  readonly clock: Clock
  readonly log: Logger
}

type Alarms = ReadonlyMap<string, readonly StandingAlarm[]>

// What is read of GET /api/recorder/sessions: a recorder of another version may say more.
const sessions = Type.Object({
  items: Type.Array(
    Type.Object({
      callId: Type.String(),
      alarms: Type.Array(
        Type.Object({
          code: Type.String(),
          severity: Type.Enum(['error', 'warning']),
          channel: Type.Optional(Type.Integer()),
          label: Type.Optional(Type.String()),
          cause: Type.String(),
          fix: Type.String(),
        }),
      ),
    }),
  ),
})

/** The APIs of a configuration, with their tokens; rejects with AppError `config.secret-unreadable`. */
export function readRecorderApis({ recording }: GatewayConfig): Promise<RecorderApi[]> {
  const apis = recording.recorderApis.map(async ({ url, ...place }): Promise<RecorderApi> => {
    return isSecretNamed(place) ? { url, token: await requireSecret('gateway.recording.recorderApis', place) } : { url }
  })
  return Promise.all(apis)
}

/** Asks each API by itself; one that does not answer costs nothing but what it would have said. */
export class RemoteAlarms {
  readonly #feeds: readonly Feed[]

  constructor({ apis, ...rest }: RemoteAlarmsOptions) {
    this.#feeds = apis.map((api) => new Feed({ api, ...rest }))
  }

  /** The alarms that stand about the session with this SIP Call-ID; undefined where no recorder has told of the session. */
  alarmsOf(sipCallId: string): readonly StandingAlarm[] | undefined {
    for (const { alarms } of this.#feeds) {
      const found = alarms.get(sipCallId)
      if (found !== undefined) return found
    }
    return undefined
  }

  close(): void {
    for (const feed of this.#feeds) feed.close()
  }
}

type FeedOptions = Omit<RemoteAlarmsOptions, 'apis'> & { readonly api: RecorderApi }

/** One API, asked again some time after it has answered. */
class Feed {
  /** By SIP Call-ID; what was told last is forgotten when the next question has no answer. */
  alarms: Alarms = new Map()
  readonly #options: FeedOptions
  readonly #closing = new AbortController()
  #timer: Timer | undefined
  #isSilent = false

  constructor(options: FeedOptions) {
    this.#options = options
    this.#await()
  }

  close(): void {
    this.#closing.abort()
    this.#timer?.cancel()
  }

  #await(): void {
    if (this.#closing.signal.aborted) return
    this.#timer = this.#options.clock.after(INTERVAL_MS, 'remote-alarms', () => void this.#turn())
  }

  async #turn(): Promise<void> {
    if (this.#options.isWanted()) await this.#renew()
    else this.alarms = new Map()
    this.#await()
  }

  async #renew(): Promise<void> {
    const { api, clock, log } = this.#options
    const patience = new AbortController()
    const timer = clock.after(PATIENCE_MS, 'remote-alarms', () => patience.abort(new Error('no answer')))
    try {
      this.alarms = await ask(api, AbortSignal.any([patience.signal, this.#closing.signal]))
      if (this.#isSilent) log.info('alarms of a recorder are known again', { url: api.url })
      this.#isSilent = false
    } catch (fault) {
      this.alarms = new Map()
      if (!this.#isSilent && !this.#closing.signal.aborted) {
        log.warn('alarms of a recorder are unknown', { url: api.url, cause: causeOf(fault) })
      }
      this.#isSilent = true
    } finally {
      timer.cancel()
    }
  }
}

async function ask({ url, token }: RecorderApi, signal: AbortSignal): Promise<Alarms> {
  const headers = { accept: 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) }
  const response = await fetch(new URL('/api/recorder/sessions', url), { headers, redirect: 'error', signal })
  const body = await bodyWithin(response, MAX_BYTES)
  if (!response.ok) throw new Error(`it answered ${response.status}`)
  if (body === undefined) throw new Error(`its answer is larger than ${MAX_BYTES} bytes`)
  const told: unknown = JSON.parse(new TextDecoder().decode(body))
  if (!Value.Check(sessions, told)) throw new Error('its answer has another form')
  return new Map(told.items.map(({ callId, alarms }) => [callId, alarms]))
}

/** What is behind `fetch failed`. */
function causeOf(fault: unknown): string {
  return messageOf(fault instanceof Error && fault.cause !== undefined ? fault.cause : fault)
}
