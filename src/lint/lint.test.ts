// The checks of a file: metadata alone, whole messages, and SDP against metadata.

import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { fixture, fixtureText } from '../../test/harness/fixtures.ts'
import { GATEWAY, withBench } from '../../test/harness/recording-bench.ts'
import { documentRules } from './document-rules.ts'
import { lint } from './lint.ts'
import { headRules, sdpRules } from './message-rules.ts'
import { exitCodeOf, reportJson, reportText } from './report-text.ts'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const codesOf = (text: string): string[] => lint(bytesOf(text)).findings.map((finding) => finding.code)
const errorsOf = (text: string): string[] =>
  lint(bytesOf(text))
    .findings.filter((finding) => finding.severity === 'error')
    .map((finding) => finding.code)

const sdp = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0']
const line = (label: string, port = 4000): string[] => [
  `m=audio ${port} RTP/AVP 0`,
  'a=rtpmap:0 PCMU/8000',
  'a=sendonly',
  `a=label:${label}`,
]
const document = fixtureText('metadata/call-complete.xml')

/** An INVITE of a recording client without a fault. */
const invite = [
  'INVITE sip:srs@192.0.2.9 SIP/2.0',
  'Via: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK1',
  'Max-Forwards: 70',
  'From: <sip:src@192.0.2.1>;tag=a',
  'To: <sip:srs@192.0.2.9>',
  'Call-ID: c1',
  'CSeq: 1 INVITE',
  'Contact: <sip:src@192.0.2.1>;+sip.src',
  'Require: siprec',
  'Accept: application/sdp, application/rs-metadata+xml',
  'Date: Mon, 02 Mar 2026 10:00:00 GMT',
  'Content-Type: multipart/mixed;boundary=b',
  '',
  '--b',
  'Content-Type: application/sdp',
  '',
  ...sdp,
  ...line('1'),
  ...line('2', 4002),
  '--b',
  'Content-Type: application/rs-metadata+xml',
  'Content-Disposition: recording-session',
  '',
  document.trimEnd().replaceAll('\n', '\r\n'),
  '--b--',
  '',
].join('\r\n')

/** Faults that are put into the INVITE, and what is found. */
const faults: ReadonlyArray<readonly [title: string, edit: (text: string) => string, codes: readonly string[]]> = [
  ['nothing', (text) => text, []],
  ['no Require', (text) => text.replace('Require: siprec\r\n', ''), ['no-require-siprec']],
  ['no feature tag', (text) => text.replace(';+sip.src', ';src'), ['no-sip-src']],
  ['the tag in the URI', (text) => text.replace('>;+sip.src', ';+sip.src>'), ['feature-tag-in-uri']],
  ['no Contact', (text) => text.replace(/Contact:.*\r\n/, ''), ['no-contact']],
  ['no Date and no Accept', (text) => text.replace(/Date:.*\r\n|Accept:.*\r\n/g, ''), ['no-accept', 'no-date']],
  [
    'no disposition',
    (text) => text.replace('Content-Disposition: recording-session\r\n', ''),
    ['metadata-disposition'],
  ],
  ['the old media type', (text) => text.replace('rs-metadata+xml\r\nC', 'rs-metadata\r\nC'), ['metadata-type']],
  ['multipart/related', (text) => text.replace('multipart/mixed', 'multipart/related'), ['not-multipart-mixed']],
  ['no closing delimiter', (text) => text.replace('--b--\r\n', ''), ['body-form']],
  ['a line without label', (text) => text.replace('a=label:2\r\n', ''), ['no-label', 'label-unknown']],
  ['two lines of one label', (text) => text.replace('a=label:2', 'a=label:1'), ['sdp-label-repeated', 'label-unknown']],
  [
    'a label that is no token',
    (text) => text.replace('a=label:2', 'a=label:a b'),
    ['sdp-label-form', 'label-unclaimed', 'label-unknown'],
  ],
  ['no direction', (text) => text.replace('a=sendonly\r\n', ''), ['source-direction']],
  ['recvonly', (text) => text.replace('a=sendonly', 'a=recvonly'), ['source-direction']],
  [
    'the null address',
    (text) => text.replace('c=IN IP4 192.0.2.1', 'c=IN IP4 0.0.0.0'),
    ['null-address', 'null-address'],
  ],
  ['a codec without name', (text) => text.replace('RTP/AVP 0\r\na=rtpmap:0 PCMU/8000', 'RTP/AVP 96'), ['no-codec']],
  ['SAVP without key', (text) => text.replace('RTP/AVP', 'RTP/SAVP'), ['no-key']],
  ['a key on AVP', (text) => text.replace('a=sendonly', 'a=crypto:1 X inline:x\r\na=sendonly'), ['key-without-srtp']],
  ['SDP that cannot be read', (text) => text.replace('m=audio 4000', 'm=audio x'), ['sdp-malformed']],
  [
    'no m-line',
    (text) => text.replace(/m=audio[\s\S]*?label:2\r\n/, ''),
    ['no-media', 'label-unknown', 'label-unknown'],
  ],
  ['a partial document first', (text) => text.replace('complete<', 'partial<'), ['partial-first']],
  ['a head without Call-ID', (text) => text.replace('Call-ID: c1\r\n', ''), ['sip-malformed']],
  ['a wrong length', (text) => text.replace('Require', 'Content-Length: 99999\r\nRequire'), ['content-length']],
  ['a length too short', (text) => text.replace('Require', 'Content-Length: 40\r\nRequire'), ['content-length']],
  [
    'only SDP',
    (text) => text.replace(/--b\r\nContent-Type: application\/rs[\s\S]*<\/recording>\r\n/, ''),
    ['no-metadata'],
  ],
  [
    'only metadata',
    (text) => text.replace(/--b\r\nContent-Type: application\/sdp[\s\S]*?label:2\r\n/, ''),
    ['no-sdp', 'labels-without-sdp'],
  ],
]

for (const [title, edit, codes] of faults) {
  test(`an INVITE with ${title}: ${codes.join(', ') || 'clean'}`, () => {
    const text = edit(invite)
    if (codes.length > 0) assert.notEqual(text, invite)
    assert.deepEqual(codesOf(text).toSorted(), codes.toSorted())
    const bareLf = codesOf(text.replaceAll('\r\n', '\n'))
    assert.deepEqual(bareLf.filter((code) => code !== 'line-ends').toSorted(), codes.toSorted())
  })
}

test('a finding has the line of the file, the RFC section and what to do', () => {
  const text = invite.replace('a=label:2\r\n', '')
  const [finding] = lint(bytesOf(text)).findings
  const lines = text.split('\r\n')
  assert.equal(finding?.line, lines.findIndex((each) => each.startsWith('m=audio 4002')) + 1)
  assert.match(finding?.section ?? '', /^RFC \d{4} section/)
  assert.ok((finding?.advice.length ?? 0) > 10)
})

test('the place of a metadata fault in a message is that in the file', () => {
  const text = invite.replace('<stream ', '<stream state="x" ')
  const [finding] = lint(bytesOf(text)).findings
  assert.equal(finding?.code, 'unknown-attribute')
  assert.match(text.split('\r\n')[(finding?.line ?? 0) - 1] ?? '', /<stream state="x"/)
})

test('an answer of a recorder is judged as one', () => {
  const answer = [
    'SIP/2.0 200 OK',
    ...invite.split('\r\n').slice(1, 7),
    'Contact: <sip:srs@192.0.2.9>;+sip.srs',
    'Content-Type: application/sdp',
    '',
    ...sdp,
    ...line('1').map((each) => each.replace('sendonly', 'recvonly')),
    '',
  ].join('\r\n')
  assert.deepEqual(codesOf(answer), [])
  assert.deepEqual(codesOf(answer.replace(';+sip.srs', '')), ['no-sip-srs'])
  assert.deepEqual(codesOf(answer.replace('recvonly', 'sendrecv')), ['recorder-direction'])
  assert.deepEqual(codesOf(answer.replace('a=label:1\r\n', '')), ['answer-without-label'])
})

test('a snapshot request must not carry SDP', () => {
  const request = invite
    .replace('INVITE sip', 'UPDATE sip')
    .replace('1 INVITE', '1 UPDATE')
    .replace('+sip.src', '+sip.srs')
    .replaceAll('a=sendonly', 'a=recvonly')
    .replace(/<\?xml[\s\S]*<\/recording>/, fixtureText('metadata/snapshot-request.xml').trimEnd())
  assert.deepEqual(codesOf(request), ['snapshot-with-sdp'])
})

/** What each form of the field is known to do wrong; the whole list is long for the drafts. */
const field: Readonly<Record<string, readonly string[]>> = {
  avaya: ['id-form', 'unknown-element', 'time-zone', 'element-order'],
  broadworks: ['unknown-root', 'namespace', 'ambiguous-sender'],
  cisco: ['element-order', 'body-form'],
  'cisco-hold': ['label-unclaimed', 'stream-without-sender'],
  jambonz: ['id-form', 'session-id-form', 'unknown-element'],
  metaswitch: ['namespace', 'metadata-type', 'source-direction', 'address-scheme'],
  oracle: ['namespace', 'missing-attribute', 'unknown-element'],
  ribbon: ['namespace', 'address-scheme', 'unknown-element'],
  sems: ['metadata-type', 'address-scheme'],
}

for (const name of readdirSync('test/fixtures/vendors').filter((each) => each.endsWith('.txt'))) {
  const vendor = name.replace('.txt', '')
  test(`field 15: the ${vendor} form is checked and its known slips are named`, () => {
    const report = lint(fixture(`vendors/${name}`))
    const found = new Set(report.findings.map((finding) => finding.code))
    assert.equal(report.kind, 'entity')
    assert.deepEqual(
      (field[vendor] ?? ['not listed']).filter((code) => !found.has(code)),
      [],
    )
  })
}

test('our own documents, and the examples that are valid, are clean', () => {
  for (const name of ['call-complete', 'call-hold', 'call-transfer', 'snapshot-request']) {
    assert.deepEqual(codesOf(fixtureText(`metadata/${name}.xml`)), [], name)
  }
})

test('field 15, field 27: whatever the recording client sends over a whole recording has no finding', async () => {
  await withBench(async (bench) => {
    await bench.recording()
    bench.call.join()
    await bench.pass(1000)
    bench.pause()
    await bench.pass(1000)
    bench.resume()
    await bench.pass(1000)
    bench.stop()
    await bench.pass(5000)
    const sent = bench.network.passages.filter(({ from }) => from.host === GATEWAY)
    assert.ok(sent.length >= 8, `${sent.length} messages`)
    for (const { text } of sent) assert.deepEqual(lint(bytesOf(text)).findings, [], text)
  })
})

test('a report ends with exit code 0, 1 or 2, as text and as JSON', () => {
  const clean = lint(bytesOf(invite))
  const wrong = lint(bytesOf(invite.replace('Require: siprec\r\n', '')))
  const nothing = lint(bytesOf('just a text\n'))
  assert.deepEqual([clean, wrong, nothing].map(exitCodeOf), [0, 1, 2])
  assert.match(reportText('a.txt', clean), /^a\.txt: message, 0 errors, 0 warnings, 0 notes\n$/)
  assert.match(
    reportText('a.txt', wrong),
    /^a\.txt:1: error no-require-siprec: .*\n {4}Add Require: siprec.*RFC 7866 section 6\.1\.1/,
  )
  assert.match(reportText('a.txt', nothing), /neither an XML document nor a SIP message/)
  const json = JSON.parse(reportJson('a.txt', wrong)) as { errors: number; findings: { code: string; line: number }[] }
  assert.deepEqual([json.errors, json.findings[0]?.code, json.findings[0]?.line], [1, 'no-require-siprec', 1])
})

test('every rule names an RFC section and says what to do', () => {
  for (const [code, rule] of Object.entries({ ...documentRules, ...headRules, ...sdpRules })) {
    assert.match(rule.section, /^RFC \d{4} section [\d.]+$/, code)
    assert.match(rule.advice, /\.$/, code)
  }
})

test('no file makes the check throw', () => {
  const seeds = [invite, document, fixtureText('vendors/cisco.txt')].map(bytesOf)
  fc.assert(
    fc.property(
      fc.constantFrom(...seeds),
      fc.array(fc.tuple(fc.nat(5000), fc.nat(255)), { maxLength: 12 }),
      fc.nat(5000),
      (seed, edits, length) => {
        const bytes = seed.slice(0, Math.max(1, length))
        for (const [at, value] of edits) bytes[at % bytes.length] = value
        assert.ok(lint(bytes).findings.length >= 0)
      },
    ),
    { numRuns: 300, seed: 11 },
  )
  assert.deepEqual(errorsOf(''), ['sip-malformed'])
})
