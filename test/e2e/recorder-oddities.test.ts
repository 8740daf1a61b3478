// What recording clients in the field send that no RFC has, over sockets of UDP and TCP to a whole recorder: INVITE, audio, BYE, and what is kept.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { directionOf, labelOf } from '#sdp'
import { oddities, spokenFacts } from '../harness/oddity-scenarios.ts'
import { assertLineTones, RawScene } from '../harness/raw-scene.ts'
import { answerOf, LINE_PACKETS, sendLineTones } from '../harness/raw-socket-client.ts'

let scene: RawScene
before(async () => {
  scene = await RawScene.open()
})
after(() => scene.close())

for (const { what, invite, labels, facts } of oddities) {
  test(`over UDP and TCP: ${what}`, async (t) => {
    const play = async (transport: 'udp' | 'tcp'): Promise<void> => {
      const client = await scene.client(t, transport)
      const answer = answerOf(await client.invite(invite))
      assert.deepEqual(answer.media.map(labelOf), labels)
      const directions = answer.media.map((media) => directionOf(media, answer))
      assert.deepEqual(directions, ['recvonly', 'recvonly'])
      await sendLineTones(t, answer, [0, 1])
      await scene.received(client, 2 * LINE_PACKETS)
      const kept = await scene.hangUp(client)
      assertLineTones(kept, [0, 1])
      assert.deepEqual([spokenFacts(kept.manifest), kept.manifest.facts.sip.transport], [facts, transport])
    }
    await Promise.all([play('udp'), play('tcp')])
  })
}
