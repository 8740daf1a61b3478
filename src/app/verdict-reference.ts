// The tables of docs/recorder-vendors.md: codes of deviations and products that are recognised, from the code that uses them.

import { lintRules } from '#lint'
import { knownVendors, refusedCodes } from '#recording-server'

/** Codes about recorders and files, which no verdict on a client has. */
const notOfClients = new Set([
  'no-sip-srs',
  'recorder-direction',
  'answer-without-label',
  'snapshot-with-sdp',
  'sip-malformed',
  'content-length',
  'line-ends',
])

/** The codes, in the order of the rules, and what each means. */
export function verdictReference(): string {
  const rows = Object.entries(lintRules).flatMap(([code, { severity, section, advice }]) => {
    if (severity === 'note' || notOfClients.has(code)) return []
    const status = refusedCodes[code] ?? 'never'
    return [`| \`${code}\` | ${severity} | ${section} | ${status} | ${advice.replaceAll('|', '\\|')} |`]
  })
  const parts =
    '| `unknown-part` | warning | RFC 5621 section 8 | 415 | Mark parts that a recorder may ignore with handling=optional. |'
  return [
    '| code | severity | section | `strict: refuse` answers | what is wanted |',
    '|---|---|---|---|---|',
    ...rows,
    parts,
  ].join('\n')
}

/** The products that are recognised. */
export function vendorReference(): string {
  return `${knownVendors.join(', ')}.`
}
