// Recorders of SIPp, written from the RFCs: one that checks every message, one that says as little as it may.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSippRecorder, packetsDuring, untilHeard } from '../harness/sipp-recorder.ts'
import { openTalk } from '../harness/talk.ts'
import { requireTools } from '../harness/tools.ts'

requireTools('sipp')

for (const [scenario, name] of [
  [
    'recorder-strict',
    'SRC-01, SRC-03, SRC-07, SRC-10, SRC-20, SRC-21, SRC-22, SRC-26, SRC-33, SRC-36, SRC-37, SRC-50, SRC-69: a strict recorder objects to nothing',
  ],
  ['recorder-lenient', 'SRC-62, SRC-69: a recorder without labels, directions, Allow or UPDATE records'],
] as const) {
  test(`${name}: start, pause, resume, stop`, async (t) => {
    const recorder = await openSippRecorder(t, scenario)
    const talk = await openTalk(t)
    const heard = (): number => talk.caller.heard().length
    assert.equal((await talk.rest('start', recorder.uri, 'case-7')).status, 200)
    await untilHeard(recorder)
    assert.equal((await talk.rest('pause')).status, 200)
    assert.equal(await packetsDuring(recorder, heard), 0)
    assert.equal((await talk.rest('resume')).status, 200)
    await untilHeard(recorder)
    assert.equal((await talk.rest('stop')).status, 200)
    await recorder.succeeded()
    await talk.assertUndisturbed()
    await talk.end()
  })
}
