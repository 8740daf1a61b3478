// Which profile a recorder has: the first whose hosts hold the host of its URI.

import { createDestinationPolicy } from '#call'
import type { SipUri } from '#sip'
import { defaultProfile, type RecorderProfile } from '../recorder-profile.ts'

/** A profile and the recorders that it is for. */
export interface ProfileRule {
  /** Hosts, domains (`.example.com`) and networks; empty: every recorder. */
  readonly hosts: readonly string[]
  readonly profile: RecorderProfile
}

/** Makes the choice; throws AppError `call.bad-destination` for a host that is none. */
export function createProfileChoice(rules: readonly ProfileRule[]): (recorder: SipUri) => RecorderProfile {
  const choices = rules.map(({ hosts, profile }) => {
    const policy = createDestinationPolicy(hosts)
    return { profile, holds: (uri: SipUri) => hosts.length === 0 || policy.allows(uri) }
  })
  return (recorder) => choices.find(({ holds }) => holds(recorder))?.profile ?? defaultProfile
}
