// Recorders of SIPp that do not take a stream for each voice: what they are offered instead, read in SIPp's log, and what they hear.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { goertzelPower } from '#audio'
import { openSippRecorder, packetsDuring, type SippRecorder, untilHeard } from '../harness/sipp-recorder.ts'
import { CALLEE_HZ, CALLER_HZ, openTalk, type Talk } from '../harness/talk.ts'
import { requireTools } from '../harness/tools.ts'
import { until } from '../harness/until.ts'

requireTools('sipp')

/** Half a second. */
const SAMPLES = 4_000

interface Offer {
  readonly lines: readonly string[]
  readonly xml: string
}

const labelOf = (line: string): string | undefined => /^a=label:(.*)$/m.exec(line)?.[1]

/** The offers in SIPp's log in the order in which they came: each m-line, and the document beside them. */
async function offersAt(recorder: SippRecorder): Promise<Offer[]> {
  const log = (await recorder.messages()).replaceAll('\r', '')
  return log
    .split(/^-{10,}.*$/m)
    .filter((text) => /message received/.test(text) && /^(INVITE|UPDATE) sip:/m.test(text) && /^m=audio/m.test(text))
    .map((text) => ({
      lines: text.slice(text.indexOf('\nm=')).split('\n--')[0]!.split('\nm=').slice(1),
      xml: text.slice(text.indexOf('<recording ')),
    }))
}

/** Fails unless a document names streams of an offer only, and says of two parties that both send to that of a label and to no other. */
function assertMixed({ lines, xml }: Offer, label: string): void {
  const streams = [...xml.matchAll(/<stream [^>]*stream_id="([^"]+)"[^>]*>\s*<label>([^<]+)</g)]
  const offered = lines.map(labelOf)
  assert.deepEqual(
    streams.filter(([, , named]) => !offered.includes(named)),
    [],
  )
  const mixed = streams.find(([, , named]) => named === label)?.[1]
  const parties = [...xml.matchAll(/<participant [^>]*participant_id="([^"]+)"/g)].map(([, id]) => id)
  assert.equal(parties.length, 2)
  const live = [...xml.matchAll(/<participantstreamassoc [^>]*participant_id="([^"]+)".*?<\/participantstreamassoc>/gs)]
    .filter(([text]) => !text.includes('<disassociate-time>'))
    .map(([text, id]) => [id, ...[...text.matchAll(/<send>([^<]+)</g)].map(([, sent]) => sent)])
  assert.deepEqual(new Set(live.map(([id]) => id)), new Set(parties))
  for (const [, ...sent] of live) assert.deepEqual(sent, [mixed])
}

/** Fails unless both voices are heard on one m-line, in a pause nothing, and both again after it. */
async function assertHeard(talk: Talk, recorder: SippRecorder, line: number): Promise<void> {
  const hears = (): boolean => {
    const heard = recorder.audio(line).subarray(-SAMPLES)
    const shares = [CALLER_HZ, CALLEE_HZ].map((hz) => goertzelPower(heard, 8000, hz))
    return heard.length === SAMPLES && shares.every((share) => share > 0.3) && shares[0]! + shares[1]! > 0.9
  }
  await until('both voices are heard in one', hears)
  assert.equal((await talk.rest('pause')).status, 200)
  assert.equal(await packetsDuring(recorder, () => talk.caller.heard().length), 0)
  assert.equal((await talk.rest('resume')).status, 200)
  await untilHeard(recorder, 40)
  await until('both voices are heard again', hears)
  assert.equal(recorder.audio(1 - line).length, 0)
  assert.equal((await talk.rest('stop')).status, 200)
  await recorder.succeeded()
  await talk.assertUndisturbed()
  await talk.end()
}

function openMixTalk(t: TestContext): Promise<Talk> {
  return openTalk(t, { gateway: { recording: { profiles: [{ name: 'sipp', media: { mixFallback: true } }] } } })
}

for (const [name, taken, keys] of [
  ['first', 0, { rtp_2: '0' }],
  ['second', 1, { rtp_1: '0' }],
] as const) {
  test(`SRC-33, SRC-39: a recorder that takes the ${name} of two streams is offered that one for both voices`, async (t) => {
    const recorder = await openSippRecorder(t, 'recorder-one-stream', keys)
    const talk = await openMixTalk(t)
    assert.equal((await talk.rest('start', recorder.uri)).status, 200, await recorder.messages())
    await until('the recorder has another offer', async () => (await offersAt(recorder)).length > 1)
    const [first, second] = await offersAt(recorder)
    const label = labelOf(second!.lines[taken]!)!
    assert.equal(labelOf(first!.lines[taken]!), label)
    assert.match(second!.lines[taken]!, /^audio [1-9]\d* RTP\/AVP 0[\s\S]*^a=sendonly$/m)
    assert.match(second!.lines[1 - taken]!, /^audio 0 /)
    assertMixed(second!, label)
    await assertHeard(talk, recorder, taken)
  })
}

test('SRC-39: a recorder that answers two streams with 488 is offered one of both voices in another INVITE', async (t) => {
  const recorder = await openSippRecorder(t, 'recorder-mix-only', {}, 2)
  const talk = await openMixTalk(t)
  assert.equal((await talk.rest('start', recorder.uri)).status, 200, await recorder.messages())
  const [first, second] = await offersAt(recorder)
  assert.equal(first!.lines.length, 2)
  assert.equal(second!.lines.length, 1)
  assert.match(second!.lines[0]!, /^audio [1-9]\d* RTP\/AVP 0[\s\S]*^a=sendonly$/m)
  assert.match(second!.xml, /<datamode>complete</)
  assertMixed(second!, labelOf(second!.lines[0]!)!)
  const session = (text: string): string | undefined => /<session [^>]*session_id="([^"]+)"/.exec(text)?.[1]
  assert.equal(session(second!.xml), session(first!.xml))
  await assertHeard(talk, recorder, 0)
})
