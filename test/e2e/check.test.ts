// The check of a recorder, against ours, against one written from the RFCs alone, and against one that misbehaves.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { stringify } from 'yaml'
import { presets } from '#chaos-recorder'
import { silentLogger } from '#kernel'
import { cryptoIds } from '#net'
import type { CheckReport } from '#recorder-check'
import { openChaos } from '../../src/app/chaos.ts'
import { runCheck } from '../../src/app/check.ts'
import { reportText } from '../../src/app/cli/check.ts'
import { parseConfig } from '../../src/app/config.ts'
import { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import { openTestGateway } from '../harness/talk.ts'

const HOST = '127.0.0.1'

function ports(): { portMin: number; portMax: number } {
  const portMin = 36_000 + 2 * cryptoIds.integer(3000)
  return { portMin, portMax: portMin + 199 }
}

function check(uri: string, talkMs = 200): Promise<CheckReport> {
  return runCheck({ uri, host: HOST, mediaPorts: ports(), talkMs })
}

async function checkChaos(t: TestContext, preset: string, talkMs?: number): Promise<CheckReport> {
  const script = presets[preset]!
  const chaos = await openChaos({ host: HOST, port: 0, mediaPorts: ports(), script, log: silentLogger })
  t.after(() => chaos.close())
  const tcp = chaos.listeners.find(({ transport }) => transport === 'tcp')?.port
  return await check(`sip:srs@${HOST}:${tcp};transport=tcp`, talkMs)
}

/** Verdicts by name. */
function verdicts({ items }: CheckReport): Readonly<Record<string, string>> {
  return Object.fromEntries(items.map(({ name, verdict }) => [name, verdict]))
}

function assertVerdicts(report: CheckReport, expected: Readonly<Record<string, string>>): void {
  const found = verdicts(report)
  const same = Object.fromEntries(Object.keys(expected).map((name) => [name, found[name]]))
  assert.deepEqual(same, expected, JSON.stringify(report.items, null, 1))
}

test('a check of our own recorder finds what it supports, and the profile it prints is taken by the configuration', async (t) => {
  const opened = await openTestGateway(t, { gateway: false, recorder: true })
  const report = await check(opened.recorderUri('tcp'))
  assert.equal(report.isRecorder, true)
  assertVerdicts(report, {
    INVITE: 'yes',
    '+sip.srs': 'yes',
    'two streams': 'yes',
    'label echo': 'yes',
    recvonly: 'yes',
    'codec PCMU/8000': 'yes',
    'pause by re-INVITE': 'yes',
    'resume by re-INVITE': 'yes',
    BYE: 'yes',
    'partial documents': 'unknown',
  })
  const written = stringify({
    gateway: { destinations: { record: [HOST] }, recording: { profiles: [report.profile] } },
  })
  const config = parseConfig(written, 'check.yaml')
  assert.ok(config.ok, JSON.stringify(config))
  assert.match(reportText(report), /what to set here:\n\ngateway:\n {2}recording:\n {4}profiles:\n/)
})

test('a check of a recorder that somebody else wrote has its INVITE, offers and documents accepted', async (t) => {
  const recorder = await ForeignRecorder.open()
  t.after(() => recorder.close())
  const { host, port } = recorder.address
  const report = await check(`sip:srs@${host}:${port};transport=tcp`)
  assertVerdicts(report, { INVITE: 'yes', 'two streams': 'yes', 'pause by re-INVITE': 'yes', BYE: 'yes' })
})

test('a check tells receiver reports, snapshot requests and SRTP of a recorder that has them', async (t) => {
  const report = await checkChaos(t, 'snapshot', 3000)
  assertVerdicts(report, { 'RTCP receiver reports': 'yes', 'snapshot requests': 'yes', SRTP: 'yes' })
  assert.deepEqual(report.profile.media?.srtp, ['AES_CM_128_HMAC_SHA1_80', 'AEAD_AES_256_GCM'])
  assert.equal(report.profile.lostAfterSilenceMs, 30_000)
})

/** What is found at recorders that fail. */
const failing: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  busy: { INVITE: 'no' },
  'no-labels': { INVITE: 'yes', 'label echo': 'no' },
  sendrecv: { recvonly: 'no' },
  'refuses-first-stream': { 'two streams': 'no' },
  'no-feature-tag': { '+sip.srs': 'no' },
  'reinvite-488': { 'pause by re-INVITE': 'no', 'resume by re-INVITE': 'no', BYE: 'yes' },
  'bye-at-once': { INVITE: 'yes', 'pause by re-INVITE': 'no', BYE: 'no' },
  'no-sdp': { answer: 'no' },
}

for (const [preset, expected] of Object.entries(failing)) {
  test(`a check of a recorder that ${presets[preset]?.about} says so`, async (t) => {
    assertVerdicts(await checkChaos(t, preset), expected)
  })
}

test('a check finds that only the older metadata type is taken, and advises it', async (t) => {
  const report = await checkChaos(t, 'old-media-type')
  assertVerdicts(report, { 'metadata type': 'no', 'old metadata type': 'yes', INVITE: 'yes' })
  assert.deepEqual(report.profile.metadata, { mediaType: 'legacy' })
})

test('SRC-39: a check of a recorder that takes one voice of two advises to offer the mix', async (t) => {
  const report = await checkChaos(t, 'refuses-first-stream')
  assert.equal(report.profile.media?.mixFallback, true)
  const polite = await checkChaos(t, 'polite')
  assert.equal(polite.profile.media?.mixFallback, undefined)
})
