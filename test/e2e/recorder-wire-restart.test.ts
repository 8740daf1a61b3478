// A recorder that was killed and has lost what the metadata said asks for it anew (RFC 7866 section 9.2); one that has it asks nothing.

import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { CallStory } from '../foreign/metadata-documents.ts'
import { WireClient } from '../foreign/wire-client.ts'
import { keptRecording } from '../harness/kept-recording.ts'
import { MortalRecorder } from '../harness/mortal-recorder.ts'

const HOST = '127.0.0.1'

/** Has the session under way forget what its documents said. */
async function loseState(store: string): Promise<void> {
  const name = (await readdir(store, { recursive: true })).find((each) => each.endsWith('session.json'))
  assert.ok(name !== undefined)
  const session = JSON.parse(await readFile(join(store, name), 'utf8')) as { metadata: { state?: object | undefined } }
  assert.ok(session.metadata.state !== undefined)
  session.metadata.state = undefined
  await writeFile(join(store, name), JSON.stringify(session))
}

for (const isLost of [true, false]) {
  test(`SRS-44: after a crash that ${isLost ? 'cost what the documents said a snapshot is asked for' : 'cost nothing of it nothing is asked for'}, and the parties are known at the end`, async (t) => {
    const recorder = await MortalRecorder.start(t)
    const address = { host: HOST, port: recorder.sipPort('udp') }
    const client = await WireClient.open({ transport: 'udp', recorder: address })
    t.after(() => client.close())
    const story = new CallStory(['1', '2'])
    const sdp = client.sdp()
    assert.equal((await client.request('INVITE', { sdp, metadata: story.document('rfc8068') })).status, 200)
    await recorder.kill()
    if (isLost) await loseState(recorder.store)
    await recorder.start()
    assert.equal((await client.request('UPDATE', { metadata: story.document('hold') })).status, 200)
    const snapshots = () => client.asked('UPDATE').filter(({ body }) => body.includes('requestsnapshot'))
    if (isLost) {
      await client.waitFor(() => snapshots().length > 0, 'a request for a snapshot')
      assert.equal((await client.request('UPDATE', { metadata: story.document('rfc8068') })).status, 200)
    }
    assert.equal((await client.request('UPDATE', { metadata: story.document('resume') })).status, 200)
    assert.equal((await client.request('BYE')).status, 200)
    const { manifest } = await keptRecording(recorder.store)
    assert.deepEqual(manifest.facts.speakers, [['Ottoline Brandt'], ['Matías "Kit" Öberg & Co']])
    assert.equal(snapshots().length, isLost ? 1 : 0)
  })
}
