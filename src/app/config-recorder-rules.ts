// Rules between the keys of recorder profiles.

import { createDestinationPolicy } from '#call'
import { parsePolicy, policyForm } from '#recording-client'
import { parseSipUri } from '#sip'
import { HOST_ENTRY } from './config-leaf.ts'
import type { RuleBreach } from './config-rules.ts'
import type { GatewayConfig, ProfileConfig } from './config-schema.ts'
import { profileOf } from './recorder-presets.ts'

type Path = RuleBreach['path']

/** Breaches of the rules about recorders. */
export function recorderBreaches(gateway: GatewayConfig): RuleBreach[] {
  const { profiles, recorders, failover } = gateway.recording
  const path = ['gateway', 'recording', 'profiles']
  const policy = parsePolicy(gateway.recording.policy)
  const announces = policy.ok && policy.value.unmet === 'announce' && gateway.recording.unmetPrompt === undefined
  const breaches = profiles.flatMap((profile, at) => profileBreaches([...path, at], profile, gateway))
  breaches.push(...uriBreaches(['gateway', 'recording', 'recorders'], recorders))
  for (const [at, list] of failover.entries()) {
    const earlier = failover.slice(0, at).flat()
    breaches.push(...uriBreaches(['gateway', 'recording', 'failover', at], list, earlier))
  }
  for (const [at, { name, match }] of profiles.entries()) {
    if (profiles.findIndex((other) => other.name === name) < at) {
      breaches.push({ path: [...path, at, 'name'], expected: 'another name than that of the profiles before' })
    }
    if (match.length === 0 && at < profiles.length - 1) {
      breaches.push({ path: [...path, at], expected: 'a match, since the profiles after it would never be reached' })
    }
  }
  if (!policy.ok) breaches.push({ path: ['gateway', 'recording', 'policy'], expected: policyForm })
  if (announces)
    breaches.push({ path: ['gateway', 'recording', 'unmetPrompt'], expected: 'a WAV file to announce with' })
  return breaches
}

function uriBreaches(path: Path, uris: readonly string[], earlier?: readonly string[]): RuleBreach[] {
  return uris.flatMap((uri, at) => {
    const isDouble = earlier !== undefined && [...earlier, ...uris.slice(0, at)].includes(uri)
    if (parseSipUri(uri).ok && !isDouble) return []
    return [{ path: [...path, at], expected: isDouble ? 'each recorder in one list, once' : 'a valid SIP URI' }]
  })
}

/** Breaches of a list of hosts, domains and networks. */
export function hostBreaches(path: Path, hosts: readonly string[]): RuleBreach[] {
  return hosts.flatMap((host, at) => (isHostEntry(host) ? [] : [{ path: [...path, at], expected: HOST_ENTRY }]))
}

function profileBreaches(path: Path, written: ProfileConfig, { sip, recording }: GatewayConfig): RuleBreach[] {
  const { transport, media } = profileOf(written)
  const breaches = hostBreaches([...path, 'match'], written.match)
  const expect = (key: string, holds: boolean, expected: string): void => {
    if (!holds) breaches.push({ path: [...path, ...key.split('.')], expected })
  }
  const isListened = transport === undefined || sip.listen.some((listen) => listen.transport === transport)
  expect('transport', isListened, `a listener in gateway.sip.listen with transport ${transport}`)
  const isProbed = written.lostAfterProbes === undefined || recording.health.intervalMs > 0
  expect('lostAfterProbes', isProbed, 'gateway.recording.health.intervalMs above 0')
  const identities = sip.tls?.identities ?? []
  const isKnown = identities.some(({ name }) => name === written.tlsIdentity)
  expect(
    'tlsIdentity',
    written.tlsIdentity === undefined || isKnown,
    'the name of an entry of gateway.sip.tls.identities',
  )
  if (written.credentials !== undefined) {
    const { passwordVariable, passwordFile } = written.credentials
    expect(
      'credentials',
      (passwordVariable === undefined) !== (passwordFile === undefined),
      'either passwordVariable or passwordFile',
    )
  }
  for (const name of Object.keys(written.headers ?? {})) {
    if (!/^[\w.!%*+`'~-]+$/.test(name)) breaches.push({ path: [...path, 'headers'], expected: 'names of SIP headers' })
  }
  expect('media.srtp', new Set(media.srtp).size === media.srtp.length, 'each suite once')
  return breaches
}

function isHostEntry(host: string): boolean {
  try {
    createDestinationPolicy([host])
    return true
  } catch {
    return false
  }
}
