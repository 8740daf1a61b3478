// What a check of a recorder found out, and what to set here for it.

import type { CryptoSuite } from '#sdp'
import type { TransportName } from '#sip'

/** One thing that was tried. `unknown`: cannot be told from outside, or was not reached. */
export interface CheckItem {
  readonly name: string
  readonly verdict: 'yes' | 'no' | 'unknown'
  readonly detail: string
}

/** Keys of a recorder profile (gateway.recording.profiles) that suit the recorder. */
export interface ProfileAdvice {
  readonly name: string
  readonly match: readonly string[]
  readonly transport?: TransportName
  readonly credentials?: { readonly username: string; readonly passwordVariable: string; readonly allowMd5?: true }
  readonly metadata?: { readonly mediaType: 'legacy' }
  readonly media?: { readonly mixFallback?: true; readonly codecs?: 'g711'; readonly srtp?: readonly CryptoSuite[] }
  readonly sessionExpiresSeconds?: number
  readonly lostAfterSilenceMs?: number
}

/** A finished check. */
export interface CheckReport {
  readonly uri: string
  /** Whether a recording session came about. */
  readonly isRecorder: boolean
  readonly items: readonly CheckItem[]
  readonly profile: ProfileAdvice
  /** What no key can say. */
  readonly notes: readonly string[]
}

/** Lines for people; the profile is added by who can write YAML. */
export function checkText({ uri, isRecorder, items, notes }: CheckReport): string {
  const width = Math.max(...items.map(({ name }) => name.length))
  const lines = items.map(({ name, verdict, detail }) => `${verdict.padEnd(7)}  ${name.padEnd(width)}  ${detail}`)
  const verdict = isRecorder ? 'takes recording sessions' : 'took no recording session'
  return `${[`${uri} ${verdict}`, ...lines, ...notes.map((note) => `note: ${note}`)].join('\n')}\n`
}
