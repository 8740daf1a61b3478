// As many labels, participants and associations as a client can write into one message, over real sockets: what fits in a message is taken,
// what does not ends its connection, and other sessions do not notice.

import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { MAX_MESSAGE_BYTES } from '../../src/sip/message/limits.ts'
import { tone } from '../foreign/g711-tones.ts'
import { CallStory } from '../foreign/metadata-documents.ts'
import type { WireClient } from '../foreign/wire-client.ts'
import { openWireScene, type WireScene } from '../harness/wire-scene.ts'

const MANY = 10_000
const TONE_MS = 200
const PACKETS = TONE_MS / 20
const FINAL = /SIP\/2\.0 [2-6]/
/** Of a message, for all that is not its document. */
const REST_BYTES = 3000

const documentOf = (inside: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?><recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode><session session_id="s"/><participant participant_id="p"><nameID aor="sip:p@x"/></participant>${inside}</recording>`

const KINDS: readonly (readonly [what: string, each: (n: string) => string])[] = [
  ['labels', (n) => `<stream stream_id="l${n}" session_id="s"><label>${n}</label></stream>`],
  ['participants', (n) => `<participant participant_id="q${n}"><nameID aor="sip:${n}@x"/></participant>`],
  ['associations', (n) => `<participantstreamassoc participant_id="p"><send>l${n}</send></participantstreamassoc>`],
]

/** A document of so many elements, or as many as a message has room for. */
function large(each: (n: string) => string, count: number, mostBytes: number): { xml: string; count: number } {
  let inside = ''
  let n = 0
  for (; n < count; n++) {
    const next = each(n.toString(36))
    if (inside.length + next.length > mostBytes) break
    inside += next
  }
  return { xml: documentOf(inside), count: n }
}

/** A session beside, with a document of its own. */
async function beside(scene: WireScene): Promise<WireClient> {
  const client = await scene.client()
  const metadata = new CallStory(['1', '2']).document('rfc8068')
  assert.equal((await client.request('INVITE', { sdp: client.sdp(), metadata })).status, 200)
  return client
}

async function assertUnharmed(scene: WireScene, other: WireClient): Promise<void> {
  await other.streams[0]!.send(tone(400, TONE_MS))
  const { manifest } = await scene.end(other, PACKETS)
  assert.equal(manifest.facts.speakers.flat().length, 2)
  assert.ok(manifest.streams[0]!.totals.packets >= PACKETS)
}

test('documents with as many labels, participants or associations as one message holds are taken, and a session beside them is recorded as ever', async (t) => {
  const scene = await openWireScene(t)
  const other = await beside(scene)
  for (const [what, each] of KINDS) {
    const client = await scene.client()
    const { xml, count } = large(each, MANY, MAX_MESSAGE_BYTES - REST_BYTES)
    assert.ok(count > 500, `${count} ${what}`)
    assert.equal((await client.request('INVITE', { sdp: client.sdp(), metadata: xml })).status, 200, what)
    assert.equal((await client.request('UPDATE', { metadata: xml })).status, 200, what)
  }
  const sessions = (await scene.recorder.program.recorder?.server.sessions()) ?? []
  assert.equal(sessions.length, 1 + KINDS.length)
  await assertUnharmed(scene, other)
})

/** Writes an INVITE with a document, and waits until the recorder has closed the connection, or has answered; what it said. */
async function answerTo(t: TestContext, port: number, xml: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  let heard = ''
  const over = new Promise<void>((resolve) => {
    socket.once('close', () => resolve())
    socket.setEncoding('latin1').on('data', (text: string) => {
      heard += text
      if (FINAL.test(heard)) resolve()
    })
  })
  // What is still under way when it closes is cut off.
  socket.on('error', () => {})
  socket.write(
    [
      `INVITE sip:recorder@127.0.0.1:${port} SIP/2.0`,
      'Via: SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bKlarge',
      'Max-Forwards: 70',
      'From: <sip:large@client.example>;tag=1',
      `To: <sip:recorder@127.0.0.1:${port}>`,
      'Call-ID: large',
      'CSeq: 1 INVITE',
      'Contact: <sip:large@127.0.0.1>;+sip.src',
      'Require: siprec',
      'Content-Type: application/rs-metadata+xml',
      'Content-Disposition: recording-session',
      `Content-Length: ${Buffer.byteLength(xml)}`,
      '',
      xml,
    ].join('\r\n'),
  )
  await over
  return heard
}

test(`messages with ${MANY} labels, participants or associations end their connections, and nothing of them is begun`, async (t) => {
  const scene = await openWireScene(t)
  const other = await beside(scene)
  const port = scene.recorder.port('recorder', 'tcp')
  for (const [what, each] of KINDS) {
    const { xml, count } = large(each, MANY, Number.POSITIVE_INFINITY)
    assert.equal(count, MANY)
    assert.ok(!(await answerTo(t, port, xml)).includes('SIP/2.0 2'), what)
  }
  const sessions = (await scene.recorder.program.recorder?.server.sessions()) ?? []
  assert.equal(sessions.length, 1)
  await assertUnharmed(scene, other)
})
