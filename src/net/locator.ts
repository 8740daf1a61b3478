// RFC 3263 over the real DNS: asks what a Location wants to know, remembers the answers for their time to live.

import { lookup as systemLookup } from 'node:dns'
import { Resolver } from 'node:dns/promises'
import { AppError, type Clock, type Ids, type Logger, messageOf, type Result } from '#kernel'
import {
  type DnsAnswer,
  type DnsQuestion,
  type LocateError,
  Location,
  type SipLocator,
  type SipTarget,
  type SipUri,
  type TransportName,
} from '#sip'

const QUERY_TIMEOUT_MS = 1_000
const QUERY_TRIES = 2
const SYSTEM_LOOKUP_MS = 2_000
const MOST_CACHED = 1_000
const MOST_RECORDS = 32
/** Node tells the time to live of addresses only; other records, and absence, are believed this long. */
const SERVICE_TTL_S = 30
const ABSENCE_TTL_S = 5
const LONGEST_TTL_S = 300

/** What a locator is made from. */
export interface LocatorOptions {
  /** Name servers as `address` or `address:port`; the system's own when absent or empty. */
  readonly servers?: readonly string[]
  /** Transports that targets may use. */
  readonly supports: (transport: TransportName) => boolean
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
  /** Finds names that are not in the DNS, such as those of /etc/hosts; the system's lookup when absent. */
  readonly lookup?: (name: string) => Promise<string[]>
}

interface Found {
  readonly answer: DnsAnswer
  readonly ttlS: number
}

interface CacheEntry {
  readonly found: Promise<Found>
  /** Infinite while the question is open, so that it is asked once. */
  expiresMs: number
}

/** Makes a locator; throws AppError `net.dns-server-invalid` when a server is not an IP address. IP literals cause no query. */
export function createLocator(options: LocatorOptions): SipLocator {
  const locator = new DnsLocator(options)
  return { locate: (uri) => locator.locate(uri) }
}

class DnsLocator {
  readonly #options: LocatorOptions
  readonly #resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: QUERY_TRIES })
  readonly #cache = new Map<string, CacheEntry>()

  constructor(options: LocatorOptions) {
    this.#options = options
    if (options.servers === undefined || options.servers.length === 0) return
    try {
      this.#resolver.setServers(options.servers)
    } catch (fault) {
      const verdict = { result: 'server', reason: 'dns-server-invalid' } as const
      throw new AppError('net.dns-server-invalid', `name server is unusable: ${messageOf(fault)}`, verdict, {
        cause: fault,
      })
    }
  }

  async locate(uri: SipUri): Promise<Result<readonly SipTarget[], LocateError>> {
    const location = Location.of(uri, this.#options.supports)
    if (!location.ok) return location
    for (;;) {
      const questions = location.value.questions()
      if (questions.length === 0) return location.value.targets(this.#options.ids)
      const answers = await Promise.all(questions.map((question) => this.#ask(question)))
      for (const [at, question] of questions.entries()) location.value.answer(question, answers[at]!)
    }
  }

  async #ask(question: DnsQuestion): Promise<DnsAnswer> {
    const key = `${question.type} ${question.name}`
    const nowMs = this.#options.clock.nowMs()
    const known = this.#cache.get(key)
    if (known !== undefined && known.expiresMs > nowMs) return (await known.found).answer
    const entry: CacheEntry = { found: this.#query(question), expiresMs: Number.POSITIVE_INFINITY }
    this.#cache.delete(key)
    this.#cache.set(key, entry)
    if (this.#cache.size > MOST_CACHED) this.#cache.delete(this.#cache.keys().next().value!)
    const { answer, ttlS } = await entry.found
    entry.expiresMs = this.#options.clock.nowMs() + ttlS * 1000
    if (answer.type === 'failed')
      this.#options.log.warn('dns query failed', { type: question.type, name: question.name })
    return answer
  }

  async #query({ type, name }: DnsQuestion): Promise<Found> {
    if (type === 'address') return this.#addresses(name)
    try {
      if (type === 'srv') {
        const records = await this.#resolver.resolveSrv(name)
        return { answer: { type, records: records.slice(0, MOST_RECORDS) }, ttlS: SERVICE_TTL_S }
      }
      const records = await this.#resolver.resolveNaptr(name)
      return { answer: { type, records: records.slice(0, MOST_RECORDS) }, ttlS: SERVICE_TTL_S }
    } catch (fault) {
      return isAbsence(fault) ? { answer: { type, records: [] }, ttlS: ABSENCE_TTL_S } : FAILED
    }
  }

  async #addresses(name: string): Promise<Found> {
    // RFC 6761 section 6.3: this name never goes to a name server.
    if (name === 'localhost' || name.endsWith('.localhost')) return addressesFound(['127.0.0.1'], LONGEST_TTL_S)
    const [v4, v6] = await Promise.allSettled([
      this.#resolver.resolve4(name, { ttl: true }),
      this.#resolver.resolve6(name, { ttl: true }),
    ])
    for (const outcome of [v4, v6]) {
      if (outcome.status === 'rejected' || outcome.value.length === 0) continue
      const ttlS = Math.min(LONGEST_TTL_S, ...outcome.value.map((record) => record.ttl))
      return addressesFound(
        outcome.value.map((record) => record.address),
        ttlS,
      )
    }
    const local = await this.#lookup(name)
    if (local.length > 0) return addressesFound(local, SERVICE_TTL_S)
    const someFailed = [v4, v6].some((outcome) => outcome.status === 'rejected' && !isAbsence(outcome.reason))
    return someFailed ? FAILED : addressesFound([], ABSENCE_TTL_S)
  }

  /** The system's lookup cannot be cancelled, so a slow one is left behind. */
  #lookup(name: string): Promise<string[]> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(SYSTEM_LOOKUP_MS, 'dns-lookup', () => resolve([]))
      const lookup = this.#options.lookup ?? lookupInSystem
      const done = (addresses: string[]): void => {
        timer.cancel()
        resolve(addresses)
      }
      lookup(name).then(done, () => done([]))
    })
  }
}

const FAILED: Found = { answer: { type: 'failed' }, ttlS: 0 }

function addressesFound(addresses: readonly string[], ttlS: number): Found {
  return { answer: { type: 'address', records: addresses.slice(0, MOST_RECORDS) }, ttlS }
}

/** The name, or this kind of record under it, does not exist: an answer, not a failure. */
function isAbsence(fault: unknown): boolean {
  const { code } = fault as NodeJS.ErrnoException
  return code === 'ENOTFOUND' || code === 'ENODATA' || code === 'EBADNAME'
}

/** IPv4 addresses of a name by getaddrinfo, or IPv6 ones where there are no others. */
function lookupInSystem(name: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    systemLookup(name, { all: true }, (error, found) => {
      if (error !== null) {
        reject(error)
        return
      }
      const v4 = found.filter(({ family }) => family === 4)
      resolve((v4.length > 0 ? v4 : found).map(({ address }) => address))
    })
  })
}
