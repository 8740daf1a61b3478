// Which host, port and transport a URI leads to (RFC 3263 section 4, RFC 2782). Asks for DNS answers, never fetches them.

import { err, type Ids, ok, type Result } from '#kernel'
import type { SipUri } from './message/uri.ts'
import type { LocateError, SipTarget, TransportName } from './transport-port.ts'

/** A NAPTR record (RFC 3403). */
export interface NaptrRecord {
  readonly order: number
  readonly preference: number
  readonly flags: string
  readonly service: string
  readonly regexp: string
  readonly replacement: string
}

/** An SRV record (RFC 2782). */
export interface SrvRecord {
  readonly priority: number
  readonly weight: number
  readonly port: number
  readonly name: string
}

/** What has to be asked; `address` means A, and AAAA where there is no A. */
export interface DnsQuestion {
  readonly type: 'naptr' | 'srv' | 'address'
  readonly name: string
}

/** The outcome of a question: records, none of them if the name has none, or `failed` when nobody could say. */
export type DnsAnswer =
  | { readonly type: 'naptr'; readonly records: readonly NaptrRecord[] }
  | { readonly type: 'srv'; readonly records: readonly SrvRecord[] }
  | { readonly type: 'address'; readonly records: readonly string[] }
  | { readonly type: 'failed' }

interface Service {
  readonly transport: TransportName
  readonly name: string
}

interface Plan {
  /** IP literal, when there is nothing to ask. */
  readonly literal: string | undefined
  readonly domain: string
  readonly port: number | undefined
  /** Candidates, most wanted first; never empty. */
  readonly transports: readonly TransportName[]
  /** Whether the transport is for NAPTR to choose. */
  readonly asksNaptr: boolean
  readonly serverName: string
}

const PREFERENCE: readonly TransportName[] = ['udp', 'tcp', 'tls']
const MOST_TARGETS = 16
const NAPTR_SERVICES: ReadonlyMap<string, TransportName> = new Map([
  ['SIP+D2U', 'udp'],
  ['SIP+D2T', 'tcp'],
  ['SIPS+D2T', 'tls'],
])

/** One search: answer `questions` until none are left, then read `targets`. */
export class Location {
  readonly #plan: Plan
  readonly #answers = new Map<string, DnsAnswer>()

  private constructor(plan: Plan) {
    this.#plan = plan
  }

  /** Starts a search; fails for a URI that no answer could help. */
  static of(uri: SipUri, supports: (transport: TransportName) => boolean): Result<Location, LocateError> {
    const plan = planFor(uri, supports)
    return plan.ok ? ok(new Location(plan.value)) : plan
  }

  /** What is to be asked now, in parallel; empty when `targets` is ready. */
  questions(): DnsQuestion[] {
    if (this.#plan.literal !== undefined) return []
    const first = this.#firstQuestions().filter((question) => !this.#answers.has(keyOf(question)))
    if (first.length > 0) return first
    const services = this.#services()
    const more: DnsQuestion[] = services.map(({ name }) => ({ type: 'srv', name }))
    for (const record of this.#records(this.#chosen(services))) more.push({ type: 'address', name: record.name })
    const open = new Map(more.map((question) => [keyOf(question), question]))
    return [...open.values()].filter((question) => !this.#answers.has(keyOf(question)))
  }

  /** Takes the answer to one of the questions. */
  answer(question: DnsQuestion, answer: DnsAnswer): void {
    this.#answers.set(keyOf(question), answer)
  }

  /** The targets in the order in which they are to be tried; `ids` draws the lots among SRV weights. */
  targets(ids: Ids): Result<SipTarget[], LocateError> {
    const { literal, domain, port, transports } = this.#plan
    if (literal !== undefined) return ok([this.#target(transports[0]!, literal, port)])
    const services = this.#services()
    const chosen = this.#chosen(services)
    const targets: SipTarget[] = []
    if (chosen !== undefined) {
      for (const record of srvOrder(this.#records(chosen), ids)) {
        for (const host of this.#addresses(record.name)) targets.push(this.#target(chosen.transport, host, record.port))
      }
    } else if (!services.some((service) => this.#isDeclined(service))) {
      const transport = services[0]?.transport ?? transports[0]!
      for (const host of this.#addresses(domain)) targets.push(this.#target(transport, host, port))
    }
    if (targets.length > 0) return ok(targets.slice(0, MOST_TARGETS))
    const someFailed = [...this.#answers.values()].some((answer) => answer.type === 'failed')
    return someFailed
      ? failed('dns-failure', 'the name servers gave no answer')
      : failed('no-target', 'no address found')
  }

  #firstQuestions(): DnsQuestion[] {
    const { domain, port, asksNaptr } = this.#plan
    const questions: DnsQuestion[] = [{ type: 'address', name: domain }]
    if (port !== undefined) return questions
    if (asksNaptr) questions.push({ type: 'naptr', name: domain })
    for (const { name } of this.#defaultServices()) questions.push({ type: 'srv', name })
    return questions
  }

  /** The SRV names to look under, most wanted first: those that NAPTR gives, else one for each transport. */
  #services(): Service[] {
    if (this.#plan.port !== undefined) return []
    const answer = this.#answers.get(keyOf({ type: 'naptr', name: this.#plan.domain }))
    const named = answer?.type === 'naptr' ? this.#usable(answer.records) : []
    return named.length > 0 ? named : this.#defaultServices()
  }

  #defaultServices(): Service[] {
    return this.#plan.transports.map((transport) => ({ transport, name: srvName(transport, this.#plan.domain) }))
  }

  #usable(records: readonly NaptrRecord[]): Service[] {
    return [...records]
      .sort((a, b) => a.order - b.order || a.preference - b.preference)
      .flatMap((record) => {
        const transport = NAPTR_SERVICES.get(record.service.toUpperCase())
        const isTerminal = record.flags.toLowerCase() === 's' && record.regexp === '' && isName(record.replacement)
        if (transport === undefined || !isTerminal || !this.#plan.transports.includes(transport)) return []
        return [{ transport, name: record.replacement }]
      })
  }

  /** The transport is chosen once: failing over to a less wanted one would let an attacker choose it. */
  #chosen(services: readonly Service[]): Service | undefined {
    return services.find((service) => this.#records(service).length > 0)
  }

  #records(service: Service | undefined): SrvRecord[] {
    const answer = service && this.#answers.get(keyOf({ type: 'srv', name: service.name }))
    return answer?.type === 'srv' ? answer.records.filter((record) => isName(record.name) && record.port > 0) : []
  }

  /** A single SRV record for the root says that the service is not offered (RFC 2782). */
  #isDeclined(service: Service): boolean {
    const answer = this.#answers.get(keyOf({ type: 'srv', name: service.name }))
    if (answer?.type !== 'srv') return false
    return answer.records.length === 1 && (answer.records[0]!.name === '' || answer.records[0]!.name === '.')
  }

  #addresses(name: string): readonly string[] {
    const answer = this.#answers.get(keyOf({ type: 'address', name }))
    return answer?.type === 'address' ? answer.records : []
  }

  #target(transport: TransportName, host: string, port: number | undefined): SipTarget {
    const target = { transport, host, port: port ?? (transport === 'tls' ? 5061 : 5060) }
    return transport === 'tls' ? { ...target, serverName: this.#plan.serverName } : target
  }
}

/** Orders SRV records by priority, and by weighted lot within a priority (RFC 2782). */
export function srvOrder(records: readonly SrvRecord[], ids: Ids): SrvRecord[] {
  const ordered: SrvRecord[] = []
  const priorities = [...new Set(records.map((record) => record.priority))].sort((a, b) => a - b)
  for (const priority of priorities) {
    // Weight 0 stands first, which gives it the small chance that the RFC asks for.
    const left = records.filter((record) => record.priority === priority).sort((a, b) => a.weight - b.weight)
    while (left.length > 0) {
      const sum = left.reduce((total, record) => total + record.weight, 0)
      const lot = ids.integer(sum + 1)
      let running = 0
      const at = left.findIndex((record) => {
        running += record.weight
        return running >= lot
      })
      ordered.push(...left.splice(at, 1))
    }
  }
  return ordered
}

function planFor(uri: SipUri, supports: (transport: TransportName) => boolean): Result<Plan, LocateError> {
  if (uri.scheme === 'tel') return failed('bad-uri', 'a tel URI names no host')
  const target = withoutBrackets(uri.params.get('maddr') ?? uri.host)
  const isLiteral = isIpv4(target) || target.includes(':')
  if (!isLiteral && !isName(target)) return failed('bad-uri', 'the host is not a name')
  if (uri.port === 0) return failed('bad-uri', 'port 0 cannot be reached')
  const isSecure = uri.scheme === 'sips'
  const chooses = isLiteral || uri.port !== undefined
  const wanted = wantedTransports(uri.params.get('transport')?.toLowerCase(), isSecure, chooses)
  const transports = wanted.filter(supports)
  if (transports.length === 0) return failed('unsupported-transport', 'no transport for this URI')
  return ok({
    literal: isLiteral ? target : undefined,
    domain: target.toLowerCase(),
    port: uri.port,
    transports,
    asksNaptr: uri.params.get('transport') === undefined,
    serverName: uri.host.toLowerCase(),
  })
}

/** Section 4.1. `sips:` is TLS whatever its parameter says, except that UDP cannot be made secure. */
function wantedTransports(param: string | undefined, isSecure: boolean, chooses: boolean): readonly TransportName[] {
  const named = PREFERENCE.find((transport) => transport === param)
  if (param !== undefined && named === undefined) return []
  if (isSecure) return named === 'udp' ? [] : ['tls']
  if (named !== undefined) return [named]
  // Without NAPTR or SRV nobody has said that the peer speaks TLS.
  return chooses ? ['udp', 'tcp'] : PREFERENCE
}

function srvName(transport: TransportName, domain: string): string {
  if (transport === 'tls') return `_sips._tcp.${domain}`
  return `_sip._${transport}.${domain}`
}

function keyOf(question: DnsQuestion): string {
  return `${question.type} ${question.name.toLowerCase()}`
}

function failed(code: LocateError['code'], message: string): Result<never, LocateError> {
  return err({ code, message })
}

function withoutBrackets(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
}

function isIpv4(text: string): boolean {
  const parts = text.split('.')
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)
}

/** A name that can be asked for; one that ends in a number is a broken IP address (RFC 3696 section 2). */
function isName(text: string): boolean {
  const name = text.endsWith('.') ? text.slice(0, -1) : text
  const labels = name.split('.')
  if (name.length > 253 || /^\d+$/.test(labels.at(-1)!)) return false
  return labels.every((label) => label.length > 0 && label.length < 64 && /^[A-Za-z0-9_-]+$/.test(label))
}
