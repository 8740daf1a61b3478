// Rules between the keys about who may send recordings.

import { networkBreaches } from './config-network-rules.ts'
import type { RuleBreach } from './config-rules.ts'
import type { RecorderConfig } from './config-schema.ts'

/** Breaches of the rules about `recorder.admit`. */
export function admissionBreaches({ admit, sip }: RecorderConfig): RuleBreach[] {
  return admit.flatMap(({ sources, certificates = [], users = [] }, at) => {
    const path = ['recorder', 'admit', at]
    const breaches = networkBreaches([...path, 'sources'], sources ?? [])
    if ((sources ?? []).length === 0 && certificates.length === 0 && users.length === 0) {
      breaches.push({ path, expected: 'sources, certificates or users' })
    }
    if (certificates.length > 0 && sip.tls?.caFile === undefined) {
      breaches.push({ path: [...path, 'certificates'], expected: 'a recorder.sip.tls.caFile that they are signed by' })
    }
    for (const [index, certificate] of certificates.entries()) {
      if (!certificate.startsWith('sha256:') || fingerprintOf(certificate).length === 64) continue
      breaches.push({ path: [...path, 'certificates', index], expected: '64 hexadecimal digits after sha256:' })
    }
    for (const [index, { username, passwordVariable, passwordFile }] of users.entries()) {
      if ((passwordVariable === undefined) === (passwordFile === undefined)) {
        breaches.push({ path: [...path, 'users', index], expected: 'either passwordVariable or passwordFile' })
      }
      if (users.findIndex((other) => other.username === username) < index) {
        breaches.push({ path: [...path, 'users', index, 'username'], expected: 'another name than those before' })
      }
    }
    return breaches
  })
}

/** The digits of `sha256:AB:CD:…`, in lower case. */
export function fingerprintOf(certificate: string): string {
  return certificate.slice('sha256:'.length).replaceAll(':', '').toLowerCase()
}
