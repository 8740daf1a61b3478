// What the claims of the provider make of somebody here: a name, whether they may come in, and the scopes of their roles.

import { err, ok, type Result } from '#kernel'
import { type Role, roles, type Scope } from '../scopes.ts'
import type { Identity } from '../sign-in.ts'

/** How claims are read. */
export interface ClaimRules {
  /** Claim with the groups, by its name or as a path such as `realm_access.roles`. */
  readonly groupsClaim: string
  /** Claim with the name. */
  readonly nameClaim: string
  /** The role of each group; who is in several has all of what they allow. */
  readonly roles: readonly { readonly group: string; readonly role: Role }[]
  /** Role of those whose groups have none; `none` refuses them. */
  readonly defaultRole: Role | 'none'
  /** Domains of e-mail addresses; empty: any. */
  readonly allowedDomains: readonly string[]
  /** Groups of which one is needed; empty: any. */
  readonly allowedGroups: readonly string[]
}

/** Claims by name, as a provider sent them. */
export type Claims = Readonly<Record<string, unknown>>

const MOST_NAME = 128

/** Who the claims are of, or why they are not let in. */
export function identityOf(claims: Claims, rules: ClaimRules): Result<Identity, 'not-allowed' | 'no-role'> {
  const groups = textsOf(claimAt(claims, rules.groupsClaim))
  const { allowedGroups } = rules
  const allowedDomains = rules.allowedDomains.map((domain) => domain.toLowerCase())
  if (allowedGroups.length > 0 && !allowedGroups.some((group) => groups.includes(group))) return err('not-allowed')
  if (allowedDomains.length > 0 && !domainsOf(claims).some((domain) => allowedDomains.includes(domain))) {
    return err('not-allowed')
  }
  const mapped = rules.roles.filter(({ group }) => groups.includes(group)).map(({ role }) => role)
  const own = mapped.length > 0 || rules.defaultRole === 'none' ? unique(mapped) : [rules.defaultRole]
  if (own.length === 0) return err('no-role')
  const scopes = unique(own.flatMap((role): readonly Scope[] => roles[role]))
  return ok({ name: nameOf(claims, rules.nameClaim), roles: own, scopes })
}

/** Whether claims that the rules ask for are missing, so that the provider has to be asked for more. */
export function isShort(claims: Claims, rules: ClaimRules): boolean {
  const { groupsClaim, nameClaim, allowedDomains, allowedGroups } = rules
  const needsGroups = rules.roles.length > 0 || allowedGroups.length > 0
  if (needsGroups && claimAt(claims, groupsClaim) === undefined) return true
  if (allowedDomains.length > 0 && domainsOf(claims).length === 0) return true
  return claimAt(claims, nameClaim) === undefined
}

/** Domains that the provider vouches for: of an address that it has verified, or that it is the account of. */
function domainsOf({ email, email_verified: isVerified, hd }: Claims): string[] {
  const hosted = textsOf(hd)
  if (isVerified !== true || typeof email !== 'string') return hosted
  return [...hosted, email.slice(email.lastIndexOf('@') + 1).toLowerCase()]
}

/** A claim by its whole name, which may have dots, else by the path that the name is. */
function claimAt(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name]
  let at: unknown = claims
  for (const part of name.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined
    at = (at as Claims)[part]
  }
  return at
}

function unique<T>(items: readonly T[]): readonly T[] {
  return [...new Set(items)]
}

function textsOf(claim: unknown): string[] {
  return [claim].flat().filter((one): one is string => typeof one === 'string')
}

function nameOf(claims: Claims, nameClaim: string): string {
  const candidates = [claimAt(claims, nameClaim), claims['email'], claims['name'], claims['sub']]
  const name = candidates.find((one): one is string => typeof one === 'string' && one.trim() !== '') ?? 'unnamed'
  return name.replace(/\p{C}/gu, '').trim().slice(0, MOST_NAME)
}
