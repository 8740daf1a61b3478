// What the schema cannot say: keys that depend on each other.

import { BlockList, isIP } from 'node:net'
import { admissionBreaches } from './config-admission-rules.ts'
import { networkBreaches } from './config-network-rules.ts'
import { hostBreaches, recorderBreaches } from './config-recorder-rules.ts'
import type { Config, HttpConfig, SipConfig } from './config-schema.ts'
import { isSecretNamed } from './http-secret.ts'

/** A broken rule. */
export interface RuleBreach {
  readonly path: readonly (string | number)[]
  readonly expected: string
}

type Gateway = NonNullable<Config['gateway']>
type Recorder = NonNullable<Config['recorder']>

/** Breaches of the rules between keys, by a configuration that the schema accepts. */
export function ruleBreaches(config: Config): RuleBreach[] {
  const { gateway, recorder, http } = config
  const breaches: RuleBreach[] = []
  if (gateway === undefined && recorder === undefined) {
    breaches.push({ path: [], expected: 'at least one role is needed: gateway or recorder' })
  }
  if (gateway !== undefined) {
    breaches.push(...roleBreaches('gateway', gateway), ...routeBreaches(gateway), ...recorderBreaches(gateway))
    for (const list of ['dial', 'record'] as const) {
      breaches.push(...hostBreaches(['gateway', 'destinations', list], gateway.destinations[list]))
    }
    breaches.push(...networkBreaches(['gateway', 'info', 'trustedPeers'], gateway.info.trustedPeers))
    for (const [at, { sources }] of gateway.recording.invitations.entries()) {
      breaches.push(...networkBreaches(['gateway', 'recording', 'invitations', at, 'sources'], sources))
    }
    for (const [at, { url, ...secret }] of gateway.recording.recorderApis.entries()) {
      if (!isSecretNamed(secret) || isSafe(url)) continue
      const expected = 'an https URL, or an http URL on loopback, for a token is sent there'
      breaches.push({ path: ['gateway', 'recording', 'recorderApis', at, 'url'], expected })
    }
    for (const [at, { hosts, passwordVariable, passwordFile }] of gateway.credentials.entries()) {
      const path = ['gateway', 'credentials', at]
      breaches.push(...hostBreaches([...path, 'hosts'], hosts))
      if ((passwordVariable === undefined) !== (passwordFile === undefined)) continue
      breaches.push({ path, expected: 'either passwordVariable or passwordFile' })
    }
    breaches.push(...quotaBreaches(gateway.limits))
  }
  if (recorder !== undefined) {
    breaches.push(...roleBreaches('recorder', recorder), ...hostBreaches(['recorder', 'invite'], recorder.invite))
    breaches.push(...admissionBreaches(recorder))
    for (const [at, { sources }] of recorder.clients.entries()) {
      breaches.push(...networkBreaches(['recorder', 'clients', at, 'sources'], sources))
    }
  }
  if (http !== undefined) breaches.push(...httpBreaches(http))
  return breaches
}

function httpBreaches({ accounts, oidc, proxies, webhooks }: HttpConfig): RuleBreach[] {
  const breaches = networkBreaches(['http', 'proxies'], proxies)
  if (oidc !== undefined && !isSafe(oidc.issuer)) {
    breaches.push({ path: ['http', 'oidc', 'issuer'], expected: 'an https URL, or an http URL on loopback' })
  }
  for (const [at, { url }] of webhooks.entries()) {
    const isFirst = webhooks.findIndex((other) => other.url === url) === at
    if (isFirst && URL.canParse(url)) continue
    breaches.push({
      path: ['http', 'webhooks', at, 'url'],
      expected: isFirst ? 'an http or https URL' : 'another URL than those before',
    })
  }
  for (const [at, { name }] of accounts.entries()) {
    if (accounts.findIndex((other) => other.name === name) === at) continue
    breaches.push({ path: ['http', 'accounts', at, 'name'], expected: 'another name than those before' })
  }
  return breaches
}

/** Whether what is sent to a URL cannot be read or changed on the way. */
function isSafe(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, hostname } = new URL(url)
  return protocol === 'https:' || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}

function roleBreaches(role: 'gateway' | 'recorder', keys: Gateway | Recorder): RuleBreach[] {
  const { sip, media, sources } = keys
  const isListed = sources.length > 0 || ('admit' in keys && keys.admit.length > 0)
  const breaches = [...sipBreaches([role, 'sip'], sip), ...networkBreaches([role, 'sources'], sources)]
  if (media.portMax - media.portMin < 3) {
    breaches.push({ path: [role, 'media', 'portMax'], expected: 'room for two streams, four ports, above portMin' })
  }
  if (isWildcard(media.host) && media.advertisedHost === undefined) {
    breaches.push({ path: [role, 'media', 'host'], expected: 'an advertisedHost beside an any-address' })
  }
  if (!isListed) {
    const lists = role === 'recorder' ? 'recorder.sources or recorder.admit' : 'gateway.sources'
    for (const [at, listen] of sip.listen.entries()) {
      if (isNearby(listen.host)) continue
      const expected = `a loopback or private address, unless ${lists} says who may send`
      breaches.push({ path: [role, 'sip', 'listen', at, 'host'], expected })
    }
  }
  return breaches
}

function sipBreaches(path: readonly string[], sip: SipConfig): RuleBreach[] {
  const breaches: RuleBreach[] = []
  for (const [at, listen] of sip.listen.entries()) {
    if (listen.transport === 'tls' && sip.tls === undefined) {
      breaches.push({ path: [...path, 'listen', at, 'transport'], expected: 'a section tls with certFile and keyFile' })
    }
    if (isWildcard(listen.host) && sip.advertisedHost === undefined) {
      breaches.push({ path: [...path, 'listen', at, 'host'], expected: 'an advertisedHost beside an any-address' })
    }
  }
  const identities = sip.tls !== undefined && 'identities' in sip.tls ? sip.tls.identities : []
  for (const [at, { name }] of identities.entries()) {
    if (identities.findIndex((other) => other.name === name) === at) continue
    breaches.push({ path: [...path, 'tls', 'identities', at, 'name'], expected: 'another name than those before' })
  }
  if (sip.tls?.verifyClient === true && sip.tls.caFile === undefined) {
    breaches.push({ path: [...path, 'tls', 'verifyClient'], expected: 'a caFile to verify clients against' })
  }
  return breaches
}

function routeBreaches({ routes }: Gateway): RuleBreach[] {
  return routes.flatMap(({ match, flow, callee, input }, at) => {
    const breaches: RuleBreach[] = []
    const path = ['gateway', 'routes', at]
    if ((flow === undefined) === (callee === undefined)) {
      breaches.push({ path, expected: 'either flow or callee, and not both' })
    }
    if (input !== undefined && flow === undefined) {
      breaches.push({ path: [...path, 'input'], expected: 'a flow that takes this input' })
    }
    if (match.startsWith('re:') && !isExpression(match.slice('re:'.length))) {
      breaches.push({ path: [...path, 'match'], expected: 'a valid regular expression after re:' })
    }
    return breaches
  })
}

function quotaBreaches({ accounts, trunks }: Gateway['limits']): RuleBreach[] {
  const path = ['gateway', 'limits', 'trunks']
  return trunks.flatMap(({ sources, account }, at) => {
    const breaches = networkBreaches([...path, at, 'sources'], sources)
    if (account !== undefined && !accounts.some(({ name }) => name === account)) {
      breaches.push({ path: [...path, at, 'account'], expected: 'the name of one of limits.accounts' })
    }
    return breaches
  })
}

function isExpression(source: string): boolean {
  try {
    new RegExp(source, 'u')
    return true
  } catch {
    return false
  }
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

/** Addresses that strangers cannot reach: loopback, RFC 1918, RFC 4193, link-local. */
function isNearby(host: string): boolean {
  return NEARBY.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4')
}

const NEARBY = new BlockList()
NEARBY.addSubnet('127.0.0.0', 8)
NEARBY.addSubnet('10.0.0.0', 8)
NEARBY.addSubnet('172.16.0.0', 12)
NEARBY.addSubnet('192.168.0.0', 16)
NEARBY.addSubnet('169.254.0.0', 16)
NEARBY.addAddress('::1', 'ipv6')
NEARBY.addSubnet('fc00::', 7, 'ipv6')
NEARBY.addSubnet('fe80::', 10, 'ipv6')
