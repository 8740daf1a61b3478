// Rows of a catalogue for tests.

import type { CatalogueRow } from '#store'

/** Row number `n`, begun `n` seconds after the epoch; of the even ones Ada is a party, of the odd ones Bob. */
export function catalogueRow(n: number, changes: Partial<CatalogueRow> = {}): CatalogueRow {
  return {
    recordingId: `r${n}`,
    store: 'recorder',
    state: 'published',
    recovered: false,
    startedAtMs: 1000 * n,
    endedAtMs: 1000 * n + 500,
    durationMs: 500,
    folder: `2026/01/05/r${n}`,
    sipCallId: `call-${n}`,
    fromUri: `sip:+49301234${n}@client.test`,
    toUri: 'sip:recorder@srs.test',
    sessionIds: [`session-${n}`],
    groupIds: [],
    participants: n % 2 === 0 ? ['Ada', 'sip:ada@x.test'] : ['Bob'],
    streams: 2,
    packets: 100,
    warnings: 0,
    ...changes,
  }
}
