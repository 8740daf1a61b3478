// What a recorder says of its clients: vendor, deviations, costs; what strict profiles refuse; plain calls; what was refused.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RefusedInvitations } from '#recording-server'
import type { VerdictFacts } from '#store'
import { verdictText } from '../../src/recording-server/session-verdict.ts'
import { fixtureText } from '../harness/fixtures.ts'
import {
  callXml,
  idOf,
  multipart,
  RawClient,
  type RawInvite,
  sdpPart,
  sdpText,
  xmlPart,
} from '../harness/raw-client.ts'
import { assertTones, hangUp, openRawSession, sendTones } from '../harness/raw-session.ts'
import { LENIENT, RECORDER_IP, RecorderBench, STRICT } from '../harness/recorder.ts'

const codesOf = (verdict: VerdictFacts | undefined): string[] => verdict?.deviations.map(({ code }) => code) ?? []

/** The INVITE of a client as test/fixtures/vendors has its body, with the head that the vendor writes. */
function vendorInvite(name: string, head: (lines: string[]) => string[]): RawInvite {
  const file = fixtureText(`vendors/${name}.txt`)
  const end = file.indexOf('\n\n')
  return { body: { contentType: file.slice('Content-Type: '.length, end), text: file.slice(end + 2) }, head }
}

const untagged = (lines: string[]): string[] =>
  lines.flatMap((line) => (line.startsWith('Require') ? [] : [line.replace(';+sip.src', ';src')]))
const agent =
  (name: string) =>
  (lines: string[]): string[] => [...lines, `User-Agent: ${name}`]
const same = (lines: string[]): string[] => lines

const vendors = [
  [
    'cisco',
    agent('Cisco-SIPGateway/IOS-17.6'),
    'Cisco CUBE',
    ['sip:5101@192.0.2.40', 'sip:5102@192.0.2.40'],
    ['element-order'],
  ],
  ['oracle', same, 'Oracle SBC', ['8100', '8200'], ['namespace', 'missing-attribute']],
  [
    'broadworks',
    untagged,
    'Cisco BroadWorks',
    ['sip:02070000001'],
    ['no-require-siprec', 'no-sip-src', 'unknown-root'],
  ],
  ['avaya', same, 'Avaya SBCE', [], ['id-form']],
  ['ribbon', same, 'Ribbon SBC', ['5551230012@198.51.100.10', '5551235201@198.51.100.9'], ['namespace']],
  ['metaswitch', same, 'Metaswitch', ['2125550101@198.51.100.30', '2125550102@198.51.100.30'], ['source-direction']],
  ['sems', agent('Sip Express Media Server'), 'SEMS', [], []],
  [
    'jambonz',
    (lines: string[]) => lines.map((line) => line.replace(';+sip.src', '')),
    'jambonz',
    [],
    ['no-sip-src', 'id-form'],
  ],
] as const

for (const [name, head, vendor, parties, codes] of vendors) {
  test(`oddity: the ${name} form is taken, recognised as ${vendor}, and its deviations are listed with their sections`, async (t) => {
    const { bench, client, answer } = await openRawSession(t, vendorInvite(name, head))
    await sendTones(bench, answer)
    const { manifest, folder } = await hangUp(bench, client)
    await assertTones(folder, answer.media.length)
    const { verdict, participants } = manifest.facts
    assert.equal(verdict?.vendor, vendor)
    assert.ok(verdict.vendorEvidence.length > 0)
    for (const party of parties) {
      assert.ok(
        participants.some(({ aor, name: shown }) => aor === party || shown === party),
        `${party} of ${JSON.stringify(participants)}`,
      )
    }
    for (const code of codes) assert.ok(codesOf(verdict).includes(code), `${code} in ${codesOf(verdict).join(' ')}`)
    assert.ok(verdict.deviations.every(({ section }) => /^RFC \d{4} section/.test(section)))
    assert.equal(verdict.outcome, verdict.deviations.length === 0 ? 'clean' : 'tolerated')
  })
}

test('a client that keeps the RFCs has a clean verdict without costs', async (t) => {
  const { bench, client } = await openRawSession(t, { xml: callXml(), head: agent('siprec-gateway/1.0') })
  const { manifest } = await hangUp(bench, client)
  assert.deepEqual(manifest.facts.verdict, {
    vendor: 'siprec-gateway',
    vendorEvidence: ['User-Agent or Server'],
    kind: 'siprec',
    outcome: 'clean',
    deviations: [],
    costs: [],
  })
  assert.deepEqual(bench.server.deviations(), {})
})

test('a verdict tells what each deviation cost, counts messages, and names nobody in its text for the vendor', async (t) => {
  const xml = callXml((text) => text.replaceAll('00Z', '00').replace(`<send>${idOf('2')}</send>`, ''))
  const { bench, client } = await openRawSession(t, {
    xml,
    sdp: sdpText().replaceAll('0 PCMU', '18 G729').replaceAll('AVP 0', 'AVP 18'),
  })
  const update = multipart([sdpPart(), xmlPart(xml)])
  await client.request('UPDATE', ['Content-Type: multipart/mixed;boundary=raw'], update)
  const { manifest } = await hangUp(bench, client)
  const { verdict, sip } = manifest.facts
  const zone = verdict?.deviations.find(({ code }) => code === 'time-zone')
  assert.deepEqual([zone?.times, zone?.transaction, zone?.section], [2, 'INVITE 1', 'RFC 7865 section 6.9'])
  assert.deepEqual(verdict?.costs, [
    'The speaker of channel 1 is not known.',
    'Times of the metadata without zone are taken as UTC.',
    'Audio of G729/8000 is kept as it came.',
  ])
  assert.equal(bench.server.deviations()['time-zone'], 1)
  const text = verdictText(verdict!, sip)
  assert.match(text, /time-zone \(RFC 7865 section 6\.9\), 2 messages, first in INVITE 1/)
  assert.doesNotMatch(text, /Ann\b|Ben\b|client\.test/)
})

test('SRS-49: metadata that contradicts itself costs the name, and the verdict says that', async (t) => {
  const { bench, client } = await openRawSession(t, { xml: callXml((text) => text.replace('<label>2<', '<label>1<')) })
  const { verdict } = (await hangUp(bench, client)).manifest.facts
  assert.ok(codesOf(verdict).includes('label-repeated'))
  assert.ok(verdict?.costs.includes('The speaker of channel 0 is not known: the metadata contradicts itself.'))
})

const ODD: RawInvite = { xml: callXml((text) => text.replace('recording:1"', 'recording"')), sdp: sdpText(['', '2']) }

test('strict: report answers the same and counts violations', async (t) => {
  const { bench, client, answer } = await openRawSession(t, ODD, { policyFor: () => ({ ...STRICT, strict: 'report' }) })
  await sendTones(bench, answer)
  const { manifest, folder } = await hangUp(bench, client)
  await assertTones(folder, 2)
  assert.equal(manifest.facts.verdict?.outcome, 'violations')
  assert.deepEqual(
    ['namespace', 'no-label'].every((code) => codesOf(manifest.facts.verdict).includes(code)),
    true,
  )
})

for (const [what, invite, tolerate, status] of [
  ['a clean INVITE', { xml: callXml() }, [], 200],
  [
    'no Require',
    { xml: callXml(), head: (lines: string[]) => lines.filter((line) => !line.startsWith('Require')) },
    [],
    403,
  ],
  [
    'no Require, tolerated',
    { xml: callXml(), head: (lines: string[]) => lines.filter((line) => !line.startsWith('Require')) },
    ['no-require-siprec'],
    200,
  ],
  ['SRS-45: broken XML', { xml: '<recording' }, [], 400],
  ['a namespace of a draft', { xml: callXml((text) => text.replace('recording:1"', 'recording"')) }, [], 400],
  [
    'a namespace of a draft, tolerated',
    { xml: callXml((text) => text.replace('recording:1"', 'recording"')) },
    ['namespace'],
    200,
  ],
  ['no label', { sdp: sdpText(['', '']) }, [], 488],
  ['no metadata, which may come later', {}, [], 200],
] as const) {
  test(`strict: refuse answers ${what} with ${status}`, async (t) => {
    const bench = await RecorderBench.open(t, { policyFor: () => ({ ...STRICT, tolerate }) })
    const client = new RawClient(bench)
    assert.equal((await client.invite(invite)).status, status)
  })
}

test('strictness is by source: one client is refused what another is forgiven', async (t) => {
  const policyFor = (source: string) => (source === '192.0.2.61' ? STRICT : LENIENT)
  const bench = await RecorderBench.open(t, { policyFor })
  for (const [ip, status] of [
    ['192.0.2.61', 488],
    ['192.0.2.62', 200],
  ] as const) {
    const client = new RawClient(bench, 'tcp', ip)
    assert.equal((await client.invite({ sdp: sdpText(['', '']) })).status, status)
  }
})

const plainHead = (lines: string[]): string[] =>
  lines.flatMap((line) => {
    if (line.startsWith('Require') || line.startsWith('Accept')) return []
    if (line.startsWith('From')) return ['From: "Ann A." <sip:+15550100@pbx.test;user=phone>;tag=raw']
    return [line.replace(';+sip.src', '')]
  })

for (const labels of [[''], ['', '']]) {
  test(`L-04: an ordinary call with ${labels.length} m-lines is recorded, its parties are those of From and To, its speakers unknown`, async (t) => {
    const { bench, client, answer } = await openRawSession(t, { sdp: sdpText(labels, []), head: plainHead })
    await sendTones(bench, answer)
    const { manifest, folder } = await hangUp(bench, client)
    await assertTones(folder, labels.length)
    const { participants, speakers, verdict } = manifest.facts
    assert.deepEqual(participants, [
      { participantId: 'from', aor: 'sip:+15550100@pbx.test;user=phone', name: 'Ann A.' },
      { participantId: 'to', aor: `sip:recorder@${RECORDER_IP}` },
    ])
    assert.ok(speakers.every((names) => names.length === 0))
    assert.deepEqual([verdict?.kind, verdict?.deviations], ['plain', []])
  })
}

test('an ordinary call is not told of a pause of the recorder: it would be put on hold', async (t) => {
  const { bench } = await openRawSession(t, { sdp: sdpText([''], []), head: plainHead })
  const { recordingId } = (await bench.server.sessions())[0]!
  const begun = await bench.settled(bench.server.pauseHere(recordingId, { signal: true }))
  assert.deepEqual([begun?.pause?.isSignalled, begun?.clientStatus], [false, undefined])
})

test('L-04: ordinary calls are refused with 403 where plainCalls says so, and recording sessions are not', async (t) => {
  const bench = await RecorderBench.open(t, { policyFor: () => ({ ...LENIENT, plainCalls: 'refuse' }) })
  const plain = new RawClient(bench, 'tcp', '192.0.2.61')
  assert.equal((await plain.invite({ head: plainHead })).status, 403)
  const draft = new RawClient(bench, 'tcp', '192.0.2.62')
  assert.equal((await draft.invite({ head: plainHead, xml: callXml() })).status, 200, 'metadata is a sign of SIPREC')
  const tagged = new RawClient(bench, 'tcp', '192.0.2.63')
  assert.equal((await tagged.invite({ head: untagged })).status, 200, 'so is ;src')
})

test('each refused INVITE is kept with its reason and its bytes, whoever refused it; the last hundred of them', async (t) => {
  const bench0 = await RecorderBench.open(t)
  const refusals = new RefusedInvitations(RECORDER_IP, bench0.clock)
  t.after(() => refusals.close())
  const bench = await RecorderBench.open(t, { refusals })
  const ask = async (at: number, invite: RawInvite): Promise<number> =>
    (await new RawClient(bench, 'tcp', `192.0.2.${at}`).invite(invite)).status
  assert.equal(await ask(61, { sdp: 'v=0\nm=nonsense\n' }), 400)
  assert.equal(await ask(62, { head: (lines) => [...lines, 'Require: x-odd'] }), 420)
  assert.equal(await ask(63, { sdp: sdpText(['1']).replace('audio', 'application') }), 488)
  assert.equal(await ask(64, { xml: callXml() }), 200)
  assert.deepEqual(
    refusals.list().map(({ status, reason, source }) => [status, reason, source.split(':')[0]]),
    [
      [488, 'media type application', '192.0.2.63'],
      [420, 'Bad Extension', '192.0.2.62'],
      [400, 'SDP line 2: malformed m= line', '192.0.2.61'],
    ],
  )
  const [newest] = refusals.list()
  assert.match(Buffer.from(refusals.get(newest!.refusalId)!.message).toString(), /^INVITE [\s\S]*m=application 40000/)
  for (let at = 0; at < 110; at++) {
    const client = new RawClient(bench, 'tcp', `192.0.3.${at}`)
    await client.invite({ sdp: '' })
  }
  assert.equal(refusals.list().length, 100)
})
