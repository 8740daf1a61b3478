// The short form of `npm run soak:recorder`: sessions that come and go leave no socket, file or thread at the recorder.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MortalRecorder } from '../harness/mortal-recorder.ts'
import { soakRecorder } from '../soak/recorder-soak.ts'

const skip = process.platform === 'linux' ? false : 'reads /proc'

test('60 recording sessions in three rounds are all published, and sockets, descriptors and threads are as after the first', {
  skip,
}, async (t) => {
  const recorder = await MortalRecorder.start(t)
  const { holdings, published, refused } = await soakRecorder(recorder, { sessions: 60, atATime: 10, rounds: 3 })
  assert.deepEqual([published, refused], [60, 0])
  const [first, , last] = holdings
  assert.ok(last!.sockets <= first!.sockets, `${first!.sockets} to ${last!.sockets} sockets`)
  assert.ok(last!.threads <= first!.threads, `${first!.threads} to ${last!.threads} threads`)
  assert.ok(last!.descriptors <= first!.descriptors, `${first!.descriptors} to ${last!.descriptors} descriptors`)
})
