// What recording clients in the field send that no RFC has, by an injected clock: from the bytes of the INVITE to the audio on disk.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { directionOf, labelOf } from '#sdp'
import { oddities, spokenFacts } from '../harness/oddity-scenarios.ts'
import { assertTones, hangUp, openRawSession, sendTones } from '../harness/raw-session.ts'

for (const { what, invite, labels, facts } of oddities) {
  test(`taken and kept: ${what}`, async (t) => {
    const { bench, client, response } = await openRawSession(t, invite)
    const answer = client.answerOf(response)
    assert.deepEqual(answer.media.map(labelOf), labels)
    assert.deepEqual(
      answer.media.map((media) => directionOf(media, answer)),
      ['recvonly', 'recvonly'],
    )
    await sendTones(bench, answer)
    const { manifest, folder } = await hangUp(bench, client)
    await assertTones(folder, 2)
    assert.deepEqual(spokenFacts(manifest), facts)
  })
}
