// The check of a recorder, against ours, against one written from the RFCs alone, and against one that misbehaves.

import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { stringify } from 'yaml'
import { presets } from '#chaos-recorder'
import { silentLogger } from '#kernel'
import { cryptoIds, systemClock } from '#net'
import type { CheckReport } from '#recorder-check'
import { srtpSuites } from '#rtp'
import type { IncomingRequest, SipBody, SipRequest } from '#sip'
import { openChaos } from '../../src/app/chaos.ts'
import { type CheckOptions, runCheck } from '../../src/app/check.ts'
import { reportText } from '../../src/app/cli/check.ts'
import { parseConfig } from '../../src/app/config.ts'
import type { SipConfig } from '../../src/app/config-schema.ts'
import { openSipRole } from '../../src/app/sip-role.ts'
import { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import { readRecordingMessage } from '../harness/recording-message.ts'
import { openTestGateway } from '../harness/talk.ts'
import { answerSdp } from '../harness/test-recorder.ts'

const HOST = '127.0.0.1'

function ports(): { portMin: number; portMax: number } {
  const portMin = 36_000 + 2 * cryptoIds.integer(3000)
  return { portMin, portMax: portMin + 199 }
}

function check(uri: string, talkMs = 200, more: Partial<CheckOptions> = {}): Promise<CheckReport> {
  return runCheck({ uri, host: HOST, mediaPorts: ports(), talkMs, ...more })
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
  assertVerdicts(report, { 'RTCP receiver reports': 'yes', 'snapshot requests': 'yes' })
  assertVerdicts(report, Object.fromEntries(srtpSuites.map((suite) => [`SRTP ${suite}`, 'yes'])))
  assert.deepEqual(report.profile.media?.srtp, srtpSuites)
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

/** The profile of a report as the configuration takes it. */
function assertProfile(report: CheckReport): void {
  const recording = { profiles: [report.profile] }
  const config = parseConfig(stringify({ gateway: { destinations: { record: [HOST] }, recording } }), 'check.yaml')
  assert.ok(config.ok, JSON.stringify(config))
}

/** A recorder that takes SRTP by these suites, and nothing else; its URI. */
async function openSecured(t: TestContext, suites: readonly string[]): Promise<string> {
  /** The answer, as if nothing else had been offered; undefined: it is refused. */
  const answer = (request: SipRequest): SipBody | undefined => {
    const { sdp } = readRecordingMessage(request)
    const known = sdp.replaceAll(/^a=crypto:\d+ (\S+) .*\r\n/gm, (line, suite) => (suites.includes(suite) ? line : ''))
    const content = Buffer.from(answerSdp(known))
    return known.includes('a=crypto:') ? { contentType: 'application/sdp', content } : undefined
  }
  const recorder = await openSipRole(
    {
      name: 'secured',
      sip: { listen: [{ transport: 'tcp', host: HOST, port: 0 }] } as unknown as SipConfig,
      contactUser: 'srs',
      contactParams: '+sip.srs',
      supported: ['siprec'],
      allow: ['INVITE', 'ACK', 'BYE', 'UPDATE', 'OPTIONS'],
      accept: ['application/sdp', 'application/rs-metadata+xml'],
      admit: () => true,
      handlers: {
        onInvite: (invite) => {
          const body = answer(invite.request)
          if (body === undefined) invite.reject(488)
          else {
            const onRequest = (incoming: IncomingRequest): void => {
              const again = incoming.request.body.length === 0 ? undefined : answer(incoming.request)
              incoming.respond(200, again && { body: again })
            }
            invite.accept({ onRequest, onEnd: () => {} }, { body })
          }
        },
      },
    },
    { clock: systemClock, ids: cryptoIds, log: silentLogger, dnsServers: [] },
  )
  t.after(() => recorder.close())
  return `sip:srs@${HOST}:${recorder.listeners[0]?.port};transport=tcp`
}

test('SEC-10: a check of a recorder that demands SRTP by some suites says so, names them, and goes through the rest with keys', async (t) => {
  const report = await check(await openSecured(t, ['AES_CM_128_HMAC_SHA1_80', 'AEAD_AES_128_GCM']))
  assert.equal(report.isRecorder, true)
  assertVerdicts(report, {
    INVITE: 'yes',
    'RTP without keys': 'no',
    'RTCP receiver reports': 'unknown',
    'pause by re-INVITE': 'yes',
    BYE: 'yes',
    'SRTP AEAD_AES_256_GCM': 'no',
    'SRTP AEAD_AES_128_GCM': 'yes',
    'SRTP AES_CM_128_HMAC_SHA1_80': 'yes',
    'SRTP AES_CM_128_HMAC_SHA1_32': 'no',
  })
  assert.deepEqual(report.profile.media?.srtp, ['AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80'])
  assertProfile(report)
})

test('SEC-27: a check of a recorder that asks who is there is taken with the right password, and says what is wrong without', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'check-'))
  t.after(() => rm(folder, { recursive: true }))
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, 'open sesame\n')
  const recorder = await openTestGateway(t, {
    gateway: false,
    recorder: true,
    recorderKeys: { admit: [{ users: [{ username: 'check', passwordFile }] }] },
  })
  const uri = recorder.recorderUri('tcp')
  const credentials = { username: 'check', password: 'open barley', allowMd5: false }
  const [asked, wrong, right] = await Promise.all([
    check(uri),
    check(uri, 200, { credentials }),
    check(uri, 200, { credentials: { ...credentials, password: 'open sesame' } }),
  ])
  assert.deepEqual([asked.isRecorder, asked.notes.some((note) => note.includes('--user'))], [false, true])
  assert.equal(wrong.isRecorder, false)
  assertVerdicts(wrong, { credentials: 'no', INVITE: 'no' })
  assert.equal(right.isRecorder, true)
  assertVerdicts(right, { credentials: 'yes', INVITE: 'yes', 'pause by re-INVITE': 'yes', BYE: 'yes' })
  assert.deepEqual(right.profile.credentials, { username: 'check', passwordVariable: 'RECORDER_PASSWORD' })
  for (const report of [wrong, right]) assert.doesNotMatch(reportText(report), /open (?:sesame|barley)/)
})
