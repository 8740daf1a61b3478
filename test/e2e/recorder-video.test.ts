// What becomes of video and text after the call: sealed, proved, copied away, listed anew, given out in clear, deleted. And how much of it there may be.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { encodePcmu, tone } from '#audio'
import { readRawRun } from '#store'
import { describedApi } from '../harness/described-api.ts'
import { keptRecordings } from '../harness/kept-recording.ts'
import { startObjectServer } from '../harness/object-server.ts'
import { openTestProgram, type TestProgram } from '../harness/open-program.ts'
import { sdpText } from '../harness/raw-client.ts'
import { answerOf, RawSocketClient } from '../harness/raw-socket-client.ts'
import { RtpSource } from '../harness/rtp-source.ts'
import { until } from '../harness/until.ts'

const H264 = 97
const T140 = 98
const PATIENCE_MS = 120_000
/** Packets that may be on their way: a machine that stalls must not lose any in the system's buffers. */
const MOST_UNDER_WAY = 64
const VIDEO_LINE = ['m=video 40010 RTP/AVPF 97', 'a=rtpmap:97 H264/90000', 'a=sendonly', 'a=label:v', '']
const TEXT_LINE = ['m=text 40020 RTP/AVP 98', 'a=rtpmap:98 t140/1000', 'a=sendonly', 'a=label:t', '']

/** A session of a voice, a picture and text, each from a socket of its own. */
async function openSession(t: TestContext, recorder: TestProgram, lines: readonly string[]) {
  const client = await RawSocketClient.open(t, 'tcp', recorder.port('recorder', 'tcp'))
  const { media } = answerOf(await client.invite({ sdp: `${sdpText(['1'])}${lines.join('\n')}` }))
  const sources = await Promise.all(
    media.map(async ({ port }, line) => {
      const source = await RtpSource.open({ host: '127.0.0.1', port }, 0x100 + line)
      t.after(() => source.close())
      source.payloadType = [0, H264, T140][line] ?? 0
      return source
    }),
  )
  const counted = async (): Promise<number[]> => {
    const [session] = (await recorder.program.recorder?.server.sessions()) ?? []
    return session?.streams.map(({ totals }) => totals?.packets ?? 0) ?? []
  }
  return { client, media, sources, counted }
}

test('SRS-13: video and text are sealed, proved, uploaded, listed anew, exported in clear, and deleted with their recording', async (t) => {
  const keys = mkdtempSync(join(tmpdir(), 'video-keys-'))
  t.after(() => rmSync(keys, { recursive: true }))
  const server = await startObjectServer()
  t.after(() => server.close())
  process.env['TEST_S3_KEY'] = server.settings.accessKeyId
  process.env['TEST_S3_SECRET'] = server.settings.secretAccessKey
  const { endpoint, region } = server.settings
  const variables = { accessKeyVariable: 'TEST_S3_KEY', secretKeyVariable: 'TEST_S3_SECRET' }
  const store = join(keys, 'recordings')
  const settings = {
    gateway: false,
    recorder: true,
    recorderStore: {
      folder: store,
      // Each start makes it anew from the folders.
      database: 'memory',
      evidence: { keyFile: join(keys, 'evidence.pem') },
      encryption: { keyFile: join(keys, 'store.keys') },
      upload: { endpoint, region, ...variables, prefix: 'v/' },
    },
  } as const
  const recorder = await openTestProgram(settings)
  t.after(() => recorder.close())
  const library = recorder.program.recorder?.library
  assert.ok(library)
  const { client, sources, counted } = await openSession(t, recorder, [...VIDEO_LINE.slice(0, -1), ...TEXT_LINE])
  const [voice, camera, typist] = sources as [RtpSource, RtpSource, RtpSource]
  const pictures = Array.from({ length: 12 }, (_unused, at) => Buffer.from(`picture ${at} `.padEnd(1100, `${at % 10}`)))
  for (const picture of pictures) {
    await voice.sendPacket(encodePcmu(tone(400, 20)))
    await camera.sendPacket(picture, 3000)
  }
  for (const word of ['seem\b', 'n and', ' read']) await typist.sendPacket(Buffer.from(word), 300)
  await until('all has come', async () => (await counted()).join() === '12,12,3')
  assert.equal((await client.request('BYE')).status, 200)

  // The database may not be open yet.
  const nothing = { rows: [] }
  const published = async () => (await library.search({ state: 'published', limit: 2 }).catch(() => nothing)).rows
  await until(
    'it is published and uploaded',
    async () => (await published())[0]?.uploadState === 'verified',
    PATIENCE_MS,
  )
  const { recordingId, folder = '' } = (await published())[0]!
  const path = join(store, folder)
  for (const name of readdirSync(path).filter((one) => one.endsWith('.rtp'))) {
    assert.ok(!readFileSync(join(path, name)).includes('picture'), `${name} is sealed`)
  }
  const objects = await server.storage.list('v/')
  for (const file of ['stream-2.run-1.h264.rtp', 'stream-3.run-1.t140.rtp']) {
    assert.ok(
      objects.some((one) => JSON.stringify(one).includes(file)),
      `${file} is in object storage`,
    )
  }

  const api = await describedApi(recorder.httpUrl)
  const params = { recordingId }
  const kindsOf = (streams: readonly { readonly kind: string }[]): string[] => streams.map(({ kind }) => kind)
  const all = ['audio', 'video', 'text']
  const { streams } = (await api.ask('get', '/api/recordings/{recordingId}', { params })).body
  assert.deepEqual(kindsOf(streams), all)
  assert.deepEqual(
    streams.map(({ codecs }: { codecs: { encoding: string }[] }) => codecs.map(({ encoding }) => encoding)),
    [['PCMU/8000'], ['H264/90000'], ['T140/1000']],
  )
  const ledger = (await api.ask('get', '/api/recordings/{recordingId}/ledger', { params })).body
  assert.deepEqual(kindsOf(ledger.streams), all)
  const proof = (await api.ask('post', '/api/recordings/{recordingId}/verify', { params })).body
  assert.deepEqual([proof.outcome, proof.findings], ['proved', []])
  const text = await (await fetch(`${recorder.httpUrl}/api/recordings/${recordingId}/text`)).text()
  assert.match(text, /^0:00:0\d\.\d stream t: seen and read\n$/)
  const vcon = (await api.ask('get', '/api/recordings/{recordingId}/vcon', { params })).body
  assert.equal(vcon.dialog[0]?.parties.length, 1, 'a party for the channel of the audio')
  const told = vcon.attachments.find(({ purpose }: { purpose: string }) => purpose === 'gap-ledger')
  assert.deepEqual(kindsOf(told.body.streams), all, 'the vCon says what it leaves out')

  const tar = Buffer.from(
    await (await fetch(`${recorder.httpUrl}/api/recordings/archive?recording=${recordingId}`)).arrayBuffer(),
  )
  const out = join(keys, 'out')
  spawnSync('mkdir', ['-p', out])
  assert.equal(spawnSync('tar', ['-xf', '-', '-C', out], { input: tar }).status, 0)
  const plain = join(out, readdirSync(out).find((name) => name.endsWith(recordingId)) ?? '', 'plain')
  const clear = [...readRawRun(join(plain, 'stream-2.run-1.h264.rtp'), { clockRateHz: 90_000, startMs: 0 })]
  assert.deepEqual(
    clear.map(({ payload }) => Buffer.from(payload)),
    pictures,
  )
  assert.match(
    readFileSync(join(plain, 'PAYLOADS.txt'), 'utf8'),
    /^stream-2\.run-1\.h264\.rtp: video, channel 1, label v; H264/m,
  )

  const rowOf = async (from: typeof library) => {
    const { streams: count, hasAudio, packets, state } = (await from.get(recordingId)) ?? {}
    return { count, hasAudio, packets, state }
  }
  const before = await rowOf(library)
  assert.deepEqual(before, { count: 3, hasAudio: true, packets: 27, state: 'published' })
  await recorder.close()
  const again = await openTestProgram(settings)
  t.after(() => again.close())
  const anew = again.program.recorder?.library
  assert.ok(anew)
  await until('it is listed anew', async () => (await anew.get(recordingId).catch(() => undefined)) !== undefined)
  assert.deepEqual(await rowOf(anew), before)

  assert.ok((await anew.delete(recordingId, { reason: 'asked for', actor: 'ada' })).ok)
  await until('nothing is left', async () => !existsSync(path) && (await server.storage.list('v/')).length === 0)
})

test('SRS-13: recorder.media.kinds says what is taken', async (t) => {
  const recorderMedia = { kinds: ['audio', 'text'] }
  const recorder = await openTestProgram({ gateway: false, recorder: true, recorderMedia })
  t.after(() => recorder.close())
  const client = await RawSocketClient.open(t, 'tcp', recorder.port('recorder', 'tcp'))
  const sdp = `${sdpText(['1'])}${[...VIDEO_LINE.slice(0, -1), ...TEXT_LINE].join('\n')}`
  const answer = answerOf(await client.invite({ sdp }))
  assert.deepEqual(
    answer.media.map(({ kind, port }) => [kind, port > 0]),
    [
      ['audio', true],
      ['video', false],
      ['text', true],
    ],
  )
  assert.equal((await client.request('BYE')).status, 200)
})

test('SRS-13: a second of video of 4 Mbit/s is kept packet for packet beside two voices', async (t) => {
  const recorder = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorder.close())
  const client = await RawSocketClient.open(t, 'tcp', recorder.port('recorder', 'tcp'))
  const sdp = `${sdpText(['1', '2'])}${VIDEO_LINE.join('\n')}`
  const { media } = answerOf(await client.invite({ sdp }))
  const targets = media.map(({ port }) => ({ host: '127.0.0.1', port }))
  const sources = await Promise.all(targets.map((target, line) => RtpSource.open(target, 0x100 + line)))
  t.after(() => {
    for (const source of sources) source.close()
  })
  const [one, two, camera] = sources as [RtpSource, RtpSource, RtpSource]
  camera.payloadType = H264
  const payload = (at: number): Uint8Array => new Uint8Array(1250).fill(at & 0xff)
  const speech = encodePcmu(tone(400, 20))
  let sent = 0
  const totals = async (): Promise<number[]> => {
    const [session] = (await recorder.program.recorder?.server.sessions()) ?? []
    return session?.streams.map(({ totals: counted }) => counted?.packets ?? 0) ?? []
  }
  // 8 packets of 1,250 bytes for each 20 ms of speech, 40 ms at a time, as pictures come.
  for (let step = 0; step < 25; step++) {
    for (let voice = 0; voice < 2; voice++) await Promise.all([one.sendPacket(speech), two.sendPacket(speech)])
    for (let packet = 0; packet < 16; packet++) await camera.sendPacket(payload(sent++), packet === 15 ? 3600 : 0)
    await until('it is read', async () => ((await totals())[2] ?? 0) >= sent - MOST_UNDER_WAY, PATIENCE_MS)
  }
  await until('all has come', async () => (await totals()).join() === '50,50,400', PATIENCE_MS)
  assert.equal((await client.request('BYE')).status, 200)
  const [kept] = await keptRecordings(recorder.store, 1)
  const { folder, manifest } = kept!
  assert.ok(manifest.streams.every((stream) => stream.totals.lost === 0 && stream.totals.late === 0))
  const [run] = manifest.streams[2]!.runs
  const payloads = [...readRawRun(join(folder, run!.file), run!)]
  assert.equal(payloads.length, 400)
  assert.ok(payloads.every((record, at) => Buffer.from(payload(at)).equals(record.payload)))
})
