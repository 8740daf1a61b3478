// A recorder of SIPp that knows the media type of RFC 7866 only; RFC 3261 section 8.1.3.5: the request again in the same Call-ID.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSippRecorder, untilHeard } from '../harness/sipp-recorder.ts'
import { openTalk } from '../harness/talk.ts'
import { requireTools } from '../harness/tools.ts'

requireTools('sipp')

test('SRC-66: a 415 that accepts the old media type is retried with it, with the next CSeq of its Call-ID', async (t) => {
  const recorder = await openSippRecorder(t, 'recorder-legacy-type')
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', recorder.uri)).status, 200, await recorder.messages())
  await untilHeard(recorder)
  assert.equal((await talk.rest('stop')).status, 200)
  await recorder.succeeded()
  await talk.end()
})
