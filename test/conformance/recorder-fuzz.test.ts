// Damaged messages against a recorder in memory: it never throws, never refuses for metadata, always answers or drops, and soon.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lintMessage } from '#lint'
import { newRtpView, parseRtcp, parseRtp } from '#rtp'
import { parseSdp } from '#sdp'
import { parseMessage } from '#sip'
import { inspectMetadata, parseBody, parseMetadata } from '#siprec'
import { SessionMetadata } from '../../src/recording-server/session-metadata.ts'
import { fixtureText } from '../harness/fixtures.ts'
import { Mutations } from '../harness/mutations.ts'
import { callXml, idOf, inviteBytes, multipart, RawClient, sdpPart, sdpText, xmlPart } from '../harness/raw-client.ts'
import { openRawSession } from '../harness/raw-session.ts'
import { RecorderBench } from '../harness/recorder.ts'

const VENDORS = ['avaya', 'broadworks', 'cisco', 'cisco-hold', 'jambonz', 'metaswitch', 'oracle', 'ribbon', 'sems']
const FAULTS = ['fault while a message was handled', 'recording session fault', 'listener failed', 'metadata not kept']
/** CPU time of one message, with all that follows from it but files. */
const BUDGET_MS = 250

const bodyOf = (name: string): { contentType: string; text: string } => {
  const file = fixtureText(`vendors/${name}.txt`)
  const end = file.indexOf('\n\n')
  return { contentType: file.slice('Content-Type: '.length, end), text: file.slice(end + 2) }
}
const xmlOf = (name: string): string => {
  const { contentType, text } = bodyOf(name)
  const { parts } = parseBody(contentType, undefined, Buffer.from(text))
  return Buffer.from(parts.find(({ mediaType }) => mediaType.startsWith('application/rs-'))!.content).toString()
}

function assertNoFault(bench: RecorderBench, context: string): void {
  assert.deepEqual(
    [...bench.log.lines, ...bench.coreLog.lines].filter(({ message }) => FAULTS.includes(message)),
    [],
    context,
  )
}

/** Ends a session where there is one, and lets its ports rest. */
async function endOf(bench: RecorderBench, client: RawClient, status: number): Promise<void> {
  if (status < 300) await client.request('BYE')
  bench.clock.advance(1500)
}

const addressOf = (at: number): string => `10.1.${at >> 8}.${at & 255}`

test('no damage to metadata refuses a session, in the INVITE or later: 360 documents of nine vendors', async (t) => {
  const bench = await RecorderBench.open(t)
  const mutations = new Mutations(7865)
  for (let at = 0; at < 40 * VENDORS.length; at++) {
    const xml = mutations.of(xmlOf(VENDORS[at % VENDORS.length]!)).replaceAll('--raw', '-raw')
    const client = new RawClient(bench, 'tcp', addressOf(at))
    const { status } = await client.invite({ xml })
    assert.equal(status, 200, xml)
    const headers = ['Content-Type: application/rs-metadata+xml', 'Content-Disposition: recording-session']
    const update = await client.request('UPDATE', headers, mutations.of(xml))
    assert.equal(update.status, 200, xml)
    await endOf(bench, client, status)
    assertNoFault(bench, xml)
  }
  await bench.until(() => bench.eventTypes().filter((type) => type === 'ended').length === 40 * VENDORS.length)
})

test('damage anywhere in the body is answered by 200, 400 or 488, never by a fault: 450 bodies of nine vendors', async (t) => {
  const bench = await RecorderBench.open(t)
  const mutations = new Mutations(2046)
  const seen = new Map<number, number>()
  for (let at = 0; at < 50 * VENDORS.length; at++) {
    const { contentType, text } = bodyOf(VENDORS[at % VENDORS.length]!)
    const body = {
      contentType: mutations.chance(20) ? mutations.of(contentType).replace(/[\r\n\0]/g, ' ') : contentType,
      text: mutations.of(text),
    }
    const client = new RawClient(bench, 'tcp', addressOf(at))
    const { status } = await client.invite({ body })
    seen.set(status, (seen.get(status) ?? 0) + 1)
    await endOf(bench, client, status)
    assertNoFault(bench, `${body.contentType}\n${body.text}`)
  }
  assert.deepEqual(
    [...seen.keys()].filter((status) => ![200, 400, 415, 488].includes(status)),
    [],
  )
  assert.ok((seen.get(200) ?? 0) > 200, `${seen.get(200)} sessions`)
  assert.ok([...seen.values()].reduce((sum, count) => sum + count, 0) - (seen.get(200) ?? 0) > 10, 'some are refused')
})

test('damage anywhere in the message is answered or dropped, and the recorder takes the next good INVITE: 240 messages', async (t) => {
  const bench = await RecorderBench.open(t)
  const mutations = new Mutations(3261)
  for (let at = 0; at < 240; at++) {
    const text = Buffer.from(inviteBytes({ xml: callXml() }, 'udp'))
      .toString()
      .replace('raw-client', `raw-${at}`)
    const client = new RawClient(bench, 'udp', addressOf(at))
    client.raw(Buffer.from(mutations.of(text.replace('branch=z9hG4bK-raw', `branch=z9hG4bK-${at}`))))
    for (let turn = 0; turn < 4; turn++) await bench.clock.advanceAsync(1)
    assertNoFault(bench, text)
    if (at % 50 === 49) {
      for (let seconds = 0; seconds < 40; seconds++) await bench.clock.advanceAsync(1000)
    }
  }
  const good = new RawClient(bench, 'tcp', '10.9.9.9')
  assert.equal((await good.invite({ xml: callXml() })).status, 200)
})

/** CPU time of a run; the least of three, as a collection of garbage may fall into any. */
function cpuMs(run: () => void): number {
  let least = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < 3; attempt++) {
    const start = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(start)
    least = Math.min(least, (user + system) / 1000)
  }
  return least
}

const many = (count: number, of: (at: number) => string): string =>
  Array.from({ length: count }, (_one, at) => of(at)).join('')
const recording = (inner: string): string =>
  `<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode>${inner}</recording>`
const billion = `<!DOCTYPE r [<!ENTITY a0 "x">${many(20, (at) => `<!ENTITY a${at + 1} "&a${at};&a${at};&a${at};">`)}]><recording>&a20;</recording>`

const bombs: Readonly<Record<string, string>> = {
  'entities that grow': billion,
  'an external entity': '<!DOCTYPE r SYSTEM "file:///etc/passwd"><recording>&r;</recording>',
  'elements 30,000 deep': recording('<a>'.repeat(30_000)),
  '10,000 labels': recording(
    many(9900, (at) => `<stream stream_id="${at}"><label>${at}</label></stream>`).slice(0, 1_000_000),
  ),
  '9,000 associations of one stream': recording(
    many(9000, (at) => `<participantstreamassoc participant_id="${at}"><send>1</send></participantstreamassoc>`),
  ),
  'one id nine thousand times': recording(
    many(9000, () => '<participant participant_id="1"><nameID aor="a"/></participant>').slice(0, 1_000_000),
  ),
  'attributes without end': recording(`<stream ${many(6000, (at) => `a${at}="1" `)}/>`),
  'an attribute of 900 kB': recording(`<stream stream_id="${'x'.repeat(900_000)}"/>`),
  'ampersands alone': recording('&'.repeat(60_000)),
  'half tags': '<recording '.repeat(6000),
  'brackets of addresses': recording('<sip:a'.repeat(10_000)),
  'text of a megabyte': recording('x'.repeat(1_000_000)),
  'namespaces by the thousand': recording(many(3000, (at) => `<p${at}:x xmlns:p${at}="urn:${at}">`)),
}

for (const [name, xml] of Object.entries(bombs)) {
  test(`metadata of ${name} is done with within ${BUDGET_MS} ms of CPU time`, () => {
    const bytes = Buffer.from(xml)
    const labels = Array.from({ length: 64 }, (_one, at) => `${at}`)
    const spent = cpuMs(() => {
      const metadata = new SessionMetadata()
      metadata.apply(bytes, 'application/rs-metadata+xml', labels)
      metadata.facts(labels)
    })
    const inspected = cpuMs(() => inspectMetadata(bytes, { labels }))
    assert.ok(spent < BUDGET_MS, `applied in ${spent} ms`)
    assert.ok(inspected < BUDGET_MS, `inspected in ${inspected} ms`)
    assert.ok(parseMetadata(bytes).warnings.length <= 200)
  })
}

const FULL = 60_000
/** Bytes with the CR that each LF gets. */
const fill = (unit: string): string => unit.repeat(Math.floor(FULL / unit.replaceAll('\n', '\r\n').length))
const bodies: Readonly<Record<string, readonly [contentType: string, text: string]>> = {
  'parts without end': ['multipart/mixed;boundary=raw', fill('--raw\n\n')],
  'delimiters that nearly match': ['multipart/mixed;boundary=raw', fill('--rax\n')],
  'nested multiparts': ['multipart/mixed;boundary=raw', fill('--raw\nContent-Type: multipart/mixed;boundary=raw\n\n')],
  'a part with headers alone': ['multipart/mixed;boundary=raw', `--raw\n${fill('a:b\n')}`],
  'm-lines without end': ['application/sdp', sdpText([]) + fill('m=audio 4 RTP/AVP 0\n')],
  'attributes without end': ['application/sdp', sdpText(['1']) + fill('a=x\n')],
  'rtpmaps without end': ['application/sdp', sdpText(['1']) + fill('a=rtpmap:0 PCMU/8000\n')],
  'one label 128 times': ['application/sdp', sdpText(Array(128).fill('1'))],
  'formats without end': ['application/sdp', `${sdpText([])}m=audio 4 RTP/AVP ${fill('0 ')}\n`],
  'metadata of 900 labels': [
    'multipart/mixed;boundary=raw',
    multipart([
      sdpPart(),
      xmlPart(recording(many(900, (at) => `<stream stream_id="${at}"><label>${at}</label></stream>`))),
    ]),
  ],
}

for (const [name, [contentType, text]] of Object.entries(bodies)) {
  test(`a message of 60 kB with ${name} is read and judged within ${BUDGET_MS} ms of CPU time`, () => {
    const bytes = inviteBytes({ body: { contentType, text } }, 'udp')
    const spent = cpuMs(() => {
      const parsed = parseMessage(bytes, { isTolerant: true })
      assert.ok(parsed.ok)
      lintMessage(parsed.value)
      for (const part of parseBody(contentType, undefined, parsed.value.body).parts)
        parseSdp(part.content, { isTolerant: true })
    })
    assert.ok(spent < BUDGET_MS, `${spent} ms`)
  })
}

test('a session whose 64 streams have 500 descriptions is taken, and names nobody wrongly', async (t) => {
  const labels = Array.from({ length: 64 }, (_one, at) => `${at}`)
  const xml = recording(many(500, (at) => `<stream stream_id="${idOf('1')}"><label>${at}</label></stream>`))
  const { bench, answer } = await openRawSession(t, { sdp: sdpText(labels), xml })
  assert.equal(answer.media.length, 64)
  const [session] = await bench.server.sessions()
  assert.ok(session?.facts.speakers.every((names) => names.length === 0))
})

test('damaged RTP and RTCP packets are read or refused, within their bytes: 20,000 of each', () => {
  const mutations = new Mutations(3550)
  const rtp = Buffer.concat([Buffer.from('80000001000000a00000beef', 'hex'), Buffer.alloc(160, 0xd5)]).toString(
    'latin1',
  )
  const extended = `${Buffer.from('b2e0000100000000000000010000000200000003bede0001', 'hex').toString('latin1')}abcd${'x'.repeat(20)}`
  const rtcp = Buffer.from(
    '81c800060000beef0000000000000000000000000000000000000000'.concat('81ca00040000beef0106616263646566000000', '00'),
    'hex',
  ).toString('latin1')
  const view = newRtpView()
  let read = 0
  for (let at = 0; at < 20_000; at++) {
    const packet = Buffer.from(mutations.of(at % 2 === 0 ? rtp : extended), 'latin1')
    if (parseRtp(packet, view)) {
      read += 1
      assert.ok(view.payloadOffset + view.payloadLength <= packet.length)
    }
    for (const one of parseRtcp(Buffer.from(mutations.of(rtcp), 'latin1'))) assert.ok(one.type)
  }
  assert.ok(read > 2000 && read < 20_000, `${read} were read`)
})
