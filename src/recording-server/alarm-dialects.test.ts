// Alarms of sessions whose clients describe them each in its own way: the label that is named leads to who is missing.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tone } from '#audio'
import { raised, standing, talk } from '../../test/harness/alarm-bench.ts'
import { fixtureText } from '../../test/harness/fixtures.ts'
import { RecorderBench } from '../../test/harness/recorder.ts'

const LIMIT_MS = 3000

/** Label and speaker of the second stream in the documents of each vendor. */
const MISSING = {
  avaya: ['20', 'Ext 6100'],
  cisco: ['2', 'Desk 5102'],
  jambonz: ['2', '+15550199'],
  oracle: ['16777302', '8200'],
  ribbon: ['2', 'Desk 5201'],
  sems: ['b_leg', 'Front desk 015550199'],
} as const

/** An INVITE's body as the vendor sends it. */
function bodyOf(vendor: string): { contentType: string; content: Uint8Array } {
  const file = fixtureText(`vendors/${vendor}.txt`)
  const end = file.indexOf('\n\n')
  return { contentType: file.slice('Content-Type: '.length, end), content: Buffer.from(file.slice(end + 2)) }
}

for (const [vendor, [label, speaker]] of Object.entries(MISSING)) {
  test(`the side that is missing in a session of ${vendor} is told by its label, which is that of its speaker in the metadata`, async (t) => {
    const bench = await RecorderBench.open(t)
    const session = await bench.start(bodyOf(vendor))
    await talk(bench, LIMIT_MS, [await bench.source(session, 0), tone(440, 1000)])
    assert.ok(standing(bench).includes('one-side-only 1'), `${standing(bench)}`)
    const alarm = raised(bench, 'one-side-only')
    assert.equal(alarm.label, label)
    assert.ok(alarm.cause.includes(`label ${label} `))
    const { manifest } = await bench.end(session)
    const listed = manifest.alarms?.find(({ code }) => code === 'one-side-only')
    assert.deepEqual([listed?.channel, listed?.label], [1, label])
    assert.deepEqual(manifest.facts.speakers[listed!.channel!], [speaker])
    assert.equal(manifest.facts.speakerEvidence?.[1], 'stated')
  })
}
