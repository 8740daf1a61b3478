// Who may send recordings: networks, certificates and passwords of `recorder.admit`, beside `recorder.sources`.

import { AppError } from '#kernel'
import type { SipCoreOptions, SipFlow } from '#sip'
import type { Environment } from './config.ts'
import { fingerprintOf } from './config-admission-rules.ts'
import type { AdmissionConfig } from './config-schema.ts'
import { readPassword } from './recorder-password.ts'
import { admission } from './source-list.ts'

/** What a SIP core decides by, before it reads more of a request than its head. */
export interface ClientAdmission {
  readonly admit: (flow: SipFlow) => boolean
  /** Undefined where no entry has users. */
  readonly authenticate: SipCoreOptions['authenticate']
}

interface Entry {
  readonly matches: (flow: SipFlow) => boolean
  /** Undefined: nothing more has to be proved. */
  readonly passwords: ReadonlyMap<string, string> | undefined
}

/** Wrong passwords are counted for so long. */
const GUESS_WINDOW_MS = 60_000

type EntryConfig = AdmissionConfig['admit'][number]

/** Reads the passwords, and tells of addresses that are shut out as they guess; rejects with AppError `config.secret-unreadable`, which tells the entry and not what is there. */
export async function openAdmission(
  { sources, admit, digest }: AdmissionConfig,
  environment?: Environment,
  onShut?: (host: string) => void,
): Promise<ClientAdmission> {
  const isSource = admission(sources)
  const { maxFailures, refuseSeconds, ...asked } = digest
  const entries: Entry[] = []
  for (const [at, entry] of admit.entries()) {
    entries.push({ matches: matcherOf(entry), passwords: await passwordsOf(entry, at, environment) })
  }
  if (entries.length === 0) return { admit: isSource, authenticate: undefined }
  return {
    admit: (flow) => isSource(flow) && entries.some(({ matches }) => matches(flow)),
    authenticate: entries.some(({ passwords }) => passwords !== undefined)
      ? {
          ...asked,
          guesses: {
            maxFailures,
            windowMs: GUESS_WINDOW_MS,
            refuseMs: 1000 * refuseSeconds,
            ...(onShut && { onShut }),
          },
          isAsked: (flow) => !entries.some(({ matches, passwords }) => passwords === undefined && matches(flow)),
          passwordOf: (username, flow) =>
            entries
              .find(({ matches, passwords }) => passwords?.has(username) && matches(flow))
              ?.passwords?.get(username),
        }
      : undefined,
  }
}

/** Whether what shows without a question holds. */
function matcherOf({ sources = [], certificates = [] }: EntryConfig): (flow: SipFlow) => boolean {
  const isSource = admission(sources)
  const names = new Set(certificates.map((name) => name.toLowerCase()))
  const fingerprints = new Set(certificates.filter((name) => name.startsWith('sha256:')).map(fingerprintOf))
  const isShown = ({ certificate }: SipFlow): boolean =>
    certificate !== undefined &&
    (names.has('*') || fingerprints.has(certificate.fingerprint) || certificate.names.some((name) => names.has(name)))
  return (flow) => isSource(flow) && (certificates.length === 0 || isShown(flow))
}

async function passwordsOf(
  { users }: EntryConfig,
  at: number,
  environment?: Environment,
): Promise<ReadonlyMap<string, string> | undefined> {
  if (users === undefined) return undefined
  const passwords = new Map<string, string>()
  for (const [index, user] of users.entries()) {
    const found = await readPassword(user, environment)
    if (!found.ok) {
      const place = `recorder.admit.${at}.users.${index}.${found.error.key}`
      const verdict = { result: 'client', reason: 'secret-unreadable' } as const
      throw new AppError('config.secret-unreadable', `${place}: ${found.error.expected}`, verdict)
    }
    passwords.set(user.username, found.value)
  }
  return passwords
}
