// The verdict on a recording client: what it is, what it does against the RFCs, what was tolerated, and what that costs.

import type { Finding } from '#lint'
import { codecsOf, type SdpMedia, type SessionDescription } from '#sdp'
import type { SipMessage } from '#sip'
import type { Deviation, RecordingFacts, SipFacts, VerdictFacts } from '#store'
import type { ClientPolicy } from './client-policy.ts'
import { type Recognised, recogniseVendor } from './client-vendor.ts'

/** Deviations that one verdict lists. */
const MAX_DEVIATIONS = 60
const MAX_SEEN = 200
/** Codecs that are decoded for playing. */
const PLAYABLE = /^(?:PCMU|PCMA|G722|OPUS|L16)\//

const REFUSED_LINE = /^media (\d+) refused: (.+)$/
/** What `rawCostOf` says. */
const RAW_COST = /^Audio of (.+) is kept as it came\.$/

type Rule = Omit<Deviation, 'seen' | 'transaction' | 'times'>

/** What the recorder adds to the rules of the linter. */
const unknownPart: Rule = {
  code: 'unknown-part',
  severity: 'warning',
  section: 'RFC 5621 section 8',
  advice: 'Mark parts that a recorder may ignore with handling=optional.',
}

/** What becomes known of one client during a session. */
export class SessionVerdict {
  readonly #policy: ClientPolicy
  readonly #isPlain: boolean
  #recognised: Recognised
  readonly #deviations = new Map<string, Deviation>()
  readonly #rawCodecs = new Set<string>()

  constructor(message: SipMessage, policy: ClientPolicy, isPlain: boolean) {
    this.#policy = policy
    this.#isPlain = isPlain
    this.#recognised = recogniseVendor(message)
  }

  /** Goes on with what the process before knew of the client. */
  resume({ vendor, vendorEvidence, deviations, costs }: VerdictFacts): void {
    this.#recognised = { vendor, evidence: vendorEvidence }
    for (const deviation of deviations) this.#deviations.set(deviation.code, deviation)
    for (const cost of costs) {
      const codec = RAW_COST.exec(cost)?.[1]
      if (codec !== undefined) this.#rawCodecs.add(codec)
    }
  }

  /** Notes what a message of the client showed; returns the codes that are new. */
  note(findings: readonly Finding[], transaction: string, unknownTypes: readonly string[] = []): string[] {
    if (this.#isPlain) return []
    const rules = new Map<string, readonly [rule: Rule, seen: string]>()
    for (const { code, severity, section, advice, message } of findings) {
      if (severity !== 'note' && !rules.has(code)) rules.set(code, [{ code, severity, section, advice }, message])
    }
    if (unknownTypes.length > 0) rules.set(unknownPart.code, [unknownPart, unknownTypes.join(', ')])
    const added: string[] = []
    for (const [code, [rule, seen]] of rules) {
      const known = this.#deviations.get(code)
      if (known === undefined && this.#deviations.size >= MAX_DEVIATIONS) continue
      if (known === undefined) added.push(code)
      const first = known ?? { ...rule, seen: seen.slice(0, MAX_SEEN), transaction, times: 0 }
      this.#deviations.set(code, { ...first, times: first.times + 1 })
    }
    return added
  }

  /** Notes codecs whose audio is kept as it came only. */
  noteOffer(offer: SessionDescription): void {
    for (const media of offer.media) if (media.kind === 'audio') this.#noteCodecs(media)
  }

  /** The verdict, given what else is known of the recording. */
  facts(facts: Omit<RecordingFacts, 'verdict'>): VerdictFacts {
    const deviations = [...this.#deviations.values()]
    const isStrict = this.#policy.strict !== 'off'
    return {
      vendor: this.#recognised.vendor,
      vendorEvidence: this.#recognised.evidence,
      kind: this.#isPlain ? 'plain' : 'siprec',
      outcome: deviations.length === 0 ? 'clean' : isStrict ? 'violations' : 'tolerated',
      deviations,
      costs: this.#costs(facts),
    }
  }

  #noteCodecs(media: SdpMedia): void {
    const audio = codecsOf(media).filter(({ encoding }) => !/^(?:TELEPHONE-EVENT|CN)\//.test(encoding))
    if (audio.length > 0 && !audio.some(({ encoding }) => PLAYABLE.test(encoding))) {
      this.#rawCodecs.add(audio.map(({ encoding }) => encoding).join(', '))
    }
  }

  #costs(facts: Omit<RecordingFacts, 'verdict'>): string[] {
    const { participants, speakerEvidence = [], metadataInvalid, warnings } = facts
    const channels = (wanted: string): string =>
      speakerEvidence.flatMap((evidence, channel) => (evidence === wanted ? [`${channel}`] : [])).join(', ')
    const costs: string[] = []
    if (this.#isPlain)
      costs.push(
        'Who speaks where is not known: the call has no recording metadata, its parties are those of From and To.',
      )
    else if (participants.length === 0) costs.push('Who was recorded is not known: no metadata names a participant.')
    else {
      if (channels('unknown') !== '') costs.push(`The speaker of channel ${channels('unknown')} is not known.`)
      if (channels('conflict') !== '') {
        costs.push(`The speaker of channel ${channels('conflict')} is not known: the metadata contradicts itself.`)
      }
      if (channels('inferred') !== '') {
        costs.push(`The speaker of channel ${channels('inferred')} is inferred from the order of the metadata.`)
      }
    }
    if (metadataInvalid) costs.push('Part of the metadata could not be read; it is kept as it came.')
    if (warnings.includes('time without zone')) costs.push('Times of the metadata without zone are taken as UTC.')
    for (const warning of warnings) {
      const [, number, reason] = REFUSED_LINE.exec(warning) ?? []
      if (number !== undefined) costs.push(`Media line ${number} of the offer is not recorded: ${reason}.`)
    }
    for (const codec of this.#rawCodecs) costs.push(rawCostOf(codec))
    return costs
  }
}

/** The warning that a media line was refused, counted from 1; what it costs is read from it. */
export function refusedLineWarning(number: number, reason: string): string {
  return `media ${number} refused: ${reason}`
}

function rawCostOf(codec: string): string {
  return `Audio of ${codec} is kept as it came.`
}

/** A verdict as text for the vendor's ticket; has no names or numbers of those recorded. */
export function verdictText(verdict: VerdictFacts, sip: SipFacts): string {
  const { vendor, vendorEvidence, kind, outcome, deviations, costs } = verdict
  const found = deviations.map(
    ({ code, severity, section, seen, transaction, times, advice }) =>
      `- ${severity} ${code} (${section}), ${times} message${times === 1 ? '' : 's'}, first in ${transaction}\n  seen: ${seen}\n  wanted: ${advice}`,
  )
  return [
    `Recording client: ${sip.userAgent ?? 'no User-Agent'} (recognised as ${vendor}${vendorEvidence.length > 0 ? ` by ${vendorEvidence.join('; ')}` : ''})`,
    `Call-ID: ${sip.callId}`,
    `Session: ${kind === 'plain' ? 'an ordinary call, not SIPREC' : 'SIPREC (RFC 7866)'}, over ${sip.transport}`,
    `Deviations: ${deviations.length === 0 ? 'none' : `${deviations.length}, ${outcome}`}`,
    ...found,
    ...(costs.length === 0 ? [] : ['What it costs:', ...costs.map((cost) => `- ${cost}`)]),
    '',
  ].join('\n')
}
