// Whose call an INVITE is, and whether there is room for it. Usage is counted from the calls that live; recordings are no calls.

import { AppError } from '#kernel'
import type { ServerInvite } from '#sip'
import { type AddressRange, parseAddress, parseRange, rangeContains } from './address-range.ts'

/** A trunk: the peers that send its calls. */
export interface TrunkRule {
  readonly name: string
  /** Addresses and networks that the trunk's INVITEs come from. */
  readonly sources: readonly string[]
  /** Account of the trunk's calls. */
  readonly account?: string | undefined
  /** Header by which the trunk names the account of each call; believed, since the trunk is listed. */
  readonly accountHeader?: string | undefined
  /** Calls at a time; no limit of its own when absent. */
  readonly activeCalls?: number | undefined
}

/** An account; with a limit of 0 it has no subscription. */
export interface AccountRule {
  readonly name: string
  readonly activeCalls: number
}

/** Limits of calls at a time. */
export interface QuotaRules {
  /** Of all calls together. */
  readonly activeCalls: number
  readonly accounts?: readonly AccountRule[] | undefined
  readonly trunks?: readonly TrunkRule[] | undefined
}

/** Who a call counts for. */
export interface CallOwner {
  readonly trunk?: string
  readonly account?: string
}

/** A limit that is reached. */
export interface QuotaExcess {
  /** As jambonz says it, in reason phrase and X-Reason. */
  readonly reason: 'Maximum Calls In Progress' | 'Max Account Calls In Progress' | 'No Active Subscription'
  readonly limit: number
  readonly account?: string
}

interface Trunk extends TrunkRule {
  readonly ranges: readonly AddressRange[]
}

/** Limits of accounts and trunks. Throws AppError `call.bad-quota` for rules that cannot work. */
export class CallQuotas {
  readonly #rules: QuotaRules
  readonly #trunks: readonly Trunk[]
  readonly #accounts: ReadonlyMap<string, AccountRule>

  constructor(rules: QuotaRules) {
    this.#rules = rules
    this.#accounts = new Map(rules.accounts?.map((account) => [account.name, account]))
    this.#trunks = (rules.trunks ?? []).map((trunk) => ({ ...trunk, ranges: trunk.sources.map(rangeOf) }))
    for (const { name, account } of this.#trunks) {
      if (account !== undefined && !this.#accounts.has(account)) {
        throw badQuota(`trunk ${name} belongs to an account that is not listed: ${account}`)
      }
    }
  }

  /** Trunk by the address that an INVITE came from, account by the trunk. */
  ownerOf({ flow, request }: Pick<ServerInvite, 'flow' | 'request'>): CallOwner {
    const address = parseAddress(flow.remote.host)
    if (address === undefined) return {}
    const trunk = this.#trunks.find(({ ranges }) => ranges.some((range) => rangeContains(range, address)))
    if (trunk === undefined) return {}
    const named = trunk.accountHeader === undefined ? undefined : request.headers.get(trunk.accountHeader)?.trim()
    const account = named !== undefined && this.#accounts.has(named) ? named : trunk.account
    return { trunk: trunk.name, ...(account !== undefined && { account }) }
  }

  /** The limit that one more call of `owner` would exceed; `living` are the owners of the calls that are not ended. */
  excess(owner: CallOwner, living: readonly CallOwner[]): QuotaExcess | undefined {
    const account = this.#accounts.get(owner.account ?? '')
    if (account !== undefined) {
      const { name, activeCalls: limit } = account
      if (limit === 0) return { reason: 'No Active Subscription', limit, account: name }
      if (living.filter((one) => one.account === name).length >= limit) {
        return { reason: 'Max Account Calls In Progress', limit, account: name }
      }
    }
    const limit = this.#trunks.find(({ name }) => name === owner.trunk)?.activeCalls
    if (limit !== undefined && living.filter(({ trunk }) => trunk === owner.trunk).length >= limit) {
      return { reason: 'Maximum Calls In Progress', limit }
    }
    const { activeCalls } = this.#rules
    return living.length >= activeCalls ? { reason: 'Maximum Calls In Progress', limit: activeCalls } : undefined
  }
}

function rangeOf(text: string): AddressRange {
  const range = parseRange(text)
  if (range === undefined) throw badQuota(`not an address or network: ${text}`)
  return range
}

function badQuota(why: string): AppError {
  return new AppError('call.bad-quota', why, { result: 'client', reason: 'bad-quota' })
}
