// Recordings taken away in one tar: what is in it, who may have it in clear, and what is left when the client goes.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readWav } from '#audio'
import { hashPassword } from '#control'
import { type Manifest, readPublicKeys, readRawRun, verifyEvidence } from '#store'
import { shareOfTone } from '../foreign/g711-tones.ts'
import { describedApi } from '../harness/described-api.ts'
import { type KeptRecording, keptRecordings } from '../harness/kept-recording.ts'
import { openTestProgram, type TestProgram } from '../harness/open-program.ts'
import { sdpText } from '../harness/raw-client.ts'
import { answerOf, RawSocketClient } from '../harness/raw-socket-client.ts'
import { recordSession } from '../harness/recorded-session.ts'
import { RtpSource } from '../harness/rtp-source.ts'
import { until } from '../harness/until.ts'

const MAIN = fileURLToPath(new URL('../../src/app/main.js', import.meta.url))
const BIG_BYTES = 256 * 2 ** 20
/** Looking is reading too. */
const LITTLE_BYTES = 16_384

interface Index {
  readonly recordingId: string
  readonly folder?: string
  readonly skipped?: string
  readonly isInClear?: boolean
}

async function openRecorder(t: TestContext, store: object, http: object = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'archive-'))
  const keyFile = join(folder, 'evidence.pem')
  const recorder = await openTestProgram({
    gateway: false,
    recorder: true,
    recorderStore: { evidence: { keyFile }, ...store },
    http: { ...http },
  })
  t.after(async () => {
    await recorder.close()
    rmSync(folder, { recursive: true })
  })
  return { ...recorder, folder, publicKey: `${keyFile}.pub` }
}

async function publish(recorder: TestProgram, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await recordSession(recorder, 500)
  const library = recorder.program.recorder?.library
  await until('all are published', async () => (await library?.count({ state: 'published' })) === count)
}

/** Fetches an archive and unpacks it with the tar of the system. */
async function unpacked(url: string, to: string, headers: Record<string, string> = {}): Promise<Index[]> {
  const answer = await fetch(url, { headers })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('content-type'), 'application/x-tar')
  rmSync(to, { recursive: true, force: true })
  const tar = Buffer.from(await answer.arrayBuffer())
  spawnSync('mkdir', ['-p', to])
  const { status, stderr } = spawnSync('tar', ['-xf', '-', '-C', to], { input: tar })
  assert.equal(status, 0, String(stderr))
  return JSON.parse(readFileSync(join(to, 'index.json'), 'utf8')) as Index[]
}

function json(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
}

/** Paths below `folder` that this process has open. */
function openBelow(folder: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`)
      return path.startsWith(folder) && path.includes('big.bin') ? [fd] : []
    } catch {
      return []
    }
  })
}

/** Bytes that this process has read so far, from files and sockets. */
function bytesRead(): number {
  return Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])
}

test('an archive has each recording that was named or matches, whole and verifiable, and the audit log has each', async (t) => {
  const recorder = await openRecorder(t, {})
  await publish(recorder, 2)
  const kept = await keptRecordings(recorder.store, 2)
  const to = join(recorder.folder, 'out')
  const url = `${recorder.httpUrl}/api/recordings/archive`
  const ids = kept.map(({ manifest }) => manifest.recordingId)
  const index = await unpacked(`${url}?state=published`, to)
  assert.deepEqual(index.map(({ recordingId }) => recordingId).sort(), ids.toSorted())
  for (const { recordingId, folder = '', isInClear } of index) {
    assert.equal(isInClear, true)
    const own = kept.find(({ manifest }) => manifest.recordingId === recordingId) as KeptRecording
    const path = join(to, folder, recordingId)
    assert.deepEqual(readFileSync(join(path, 'recording.wav')), readFileSync(own.audioPath))
    assert.deepEqual(json(join(path, 'manifest.json')), json(join(own.folder, 'manifest.json')))
    assert.ok(readdirSync(join(path, 'metadata')).length > 0)
    assert.equal(json(join(to, folder, 'ledger.json'))['durationMs'], own.manifest.durationMs)
    assert.equal(json(join(to, folder, 'vcon.json'))['vcon'], '0.4.0')
    const keys = readPublicKeys([recorder.publicKey])
    const { proved, findings } = await verifyEvidence({ path, keys })
    assert.deepEqual([proved, findings], [1, []])
  }
  const verified = spawnSync(process.execPath, [
    ...[MAIN, 'verify', join(to, index[0]?.folder ?? '', ids.find((id) => id === index[0]?.recordingId) ?? '')],
    ...['--public-key', recorder.publicKey],
  ])
  assert.equal(verified.status, 0, String(verified.stdout))

  const named = await unpacked(`${url}?recording=${ids[0]}&recording=nobody`, to)
  assert.deepEqual(
    named.map(({ recordingId, skipped }) => [recordingId, skipped === undefined]),
    [
      [ids[0], true],
      ['nobody', false],
    ],
  )
  const api = await describedApi(recorder.httpUrl)
  const { items } = (await api.ask('get', '/api/audit', { query: `target=${ids[0]}` })).body
  assert.deepEqual(
    items.map(({ action }: { action: string }) => action),
    ['recording.export', 'recording.export'],
  )
})

test('an encrypted recording leaves sealed, and in clear only for who may decrypt', async (t) => {
  const keys = mkdtempSync(join(tmpdir(), 'archive-keys-'))
  t.after(() => rmSync(keys, { recursive: true }))
  const passwordHash = await hashPassword('a long password')
  const accounts = ['supervisor', 'compliance', 'viewer'].map((role) => ({ name: role, role, passwordHash }))
  const recorder = await openRecorder(t, { encryption: { keyFile: join(keys, 'store.keys') } }, { accounts })
  await publish(recorder, 1)
  const url = `${recorder.httpUrl}/api/recordings/archive`
  const as = async (name: string): Promise<Record<string, string>> => {
    const answer = await fetch(`${recorder.httpUrl}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, password: 'a long password' }),
    })
    return { cookie: (answer.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? '' }
  }
  assert.equal((await fetch(url, { headers: await as('viewer') })).status, 403)
  const to = join(recorder.folder, 'out')
  const [sealed] = await unpacked(url, to, await as('supervisor'))
  assert.ok(sealed?.folder)
  assert.equal(sealed.isInClear, false)
  const below = join(to, sealed.folder)
  assert.deepEqual(
    readdirSync(below).sort(),
    ['VERIFY.txt', 'chain.jsonl', 'evidence-public-key.pem', sealed.recordingId].sort(),
  )
  const path = join(below, sealed.recordingId)
  assert.equal(readFileSync(join(path, 'recording.wav')).subarray(0, 8).toString('latin1'), 'SRGWSEA1')
  assert.deepEqual((await verifyEvidence({ path, keys: readPublicKeys([recorder.publicKey]) })).findings, [])

  const [clear] = await unpacked(url, to, await as('compliance'))
  assert.equal(clear?.isInClear, true)
  const plain = join(to, sealed.folder, 'plain')
  const wav = readWav(readFileSync(join(plain, 'recording.wav')))
  assert.ok(wav.ok)
  const heard = wav.value.samples[0] ?? new Int16Array()
  const middle = heard.length >> 1
  assert.ok(shareOfTone(heard.subarray(middle - 800, middle + 800), 400) > 0.95)
  assert.equal(json(join(plain, 'manifest.json'))['recordingId'], sealed.recordingId)
  assert.ok(existsSync(join(to, sealed.folder, 'vcon.json')))
})

test('payloads of a codec that is not decoded are in clear beside the audio of an encrypted recording, each as it was sent', async (t) => {
  const keys = mkdtempSync(join(tmpdir(), 'archive-keys-'))
  t.after(() => rmSync(keys, { recursive: true }))
  const recorder = await openRecorder(t, { encryption: { keyFile: join(keys, 'store.keys') } })
  const client = await RawSocketClient.open(t, 'tcp', recorder.port('recorder', 'tcp'))
  const sdp = sdpText(['1']).replace('AVP 0', 'AVP 18').replace('rtpmap:0 PCMU/8000', 'rtpmap:18 G729/8000')
  const { media } = answerOf(await client.invite({ sdp }))
  const source = await RtpSource.open({ host: '127.0.0.1', port: media[0]!.port })
  t.after(() => source.close())
  source.payloadType = 18
  const sent = Array.from({ length: 12 }, (_unused, packet) => new Uint8Array(20).fill(packet))
  for (const payload of sent) await source.sendPacket(payload, 160)
  await until('all has come', async () => {
    const [session] = (await recorder.program.recorder?.server.sessions()) ?? []
    return session?.streams[0]?.totals?.packets === sent.length
  })
  assert.equal((await client.request('BYE')).status, 200)
  const library = recorder.program.recorder?.library
  await until(
    'it is over',
    async () => (await library?.count({})) === 1 && (await library?.count({ state: 'receiving' })) === 0,
  )
  const to = join(recorder.folder, 'out')
  const [archived] = await unpacked(`${recorder.httpUrl}/api/recordings/archive`, to)
  const plain = join(to, archived?.folder ?? '', 'plain')
  const manifest = json(join(plain, 'manifest.json')) as unknown as Manifest
  const [run] = manifest.streams[0]!.runs
  assert.ok(run !== undefined && !run.decoded)
  const records = [...readRawRun(join(plain, run.file), run)]
  assert.deepEqual(
    records.map(({ payload, payloadType }) => [payloadType, Buffer.from(payload)]),
    sent.map((payload) => [18, Buffer.from(payload)]),
  )
  // What a copy in object storage alone goes by.
  assert.equal(readFileSync(join(plain, run.file)).length, run.bytes)
  const guide = readFileSync(join(plain, 'PAYLOADS.txt'), 'utf8')
  assert.ok(guide.includes(`${run.file}: channel 0, label 1; G729/8000, clock 8000 Hz`), guide)
})

test('an archive is read from the disk as fast as it is taken; a client that goes leaves nothing open, and its place', async (t) => {
  const recorder = await openRecorder(t, {})
  await publish(recorder, 1)
  const [kept] = await keptRecordings(recorder.store, 1)
  assert.ok(kept)
  const big = join(kept.folder, 'big.bin')
  writeFileSync(big, '')
  truncateSync(big, BIG_BYTES)
  const url = `${recorder.httpUrl}/api/recordings/archive?recording=${kept.manifest.recordingId}`
  // More than may be written at a time, one after the other.
  for (let turn = 0; turn < 6; turn++) {
    const begun = bytesRead()
    const answer = await new Promise<IncomingMessage>((resolve, reject) => get(url, resolve).on('error', reject))
    assert.equal(answer.statusCode, 200)
    // It is not read: what the sockets and the queue hold is all that is taken from the disk.
    await until('the file is being read', () => openBelow(recorder.store).length > 0)
    if (turn === 0) {
      let [last, same] = [begun, 0]
      await until('reading stands still', () => {
        const now = bytesRead()
        same = now - last < LITTLE_BYTES ? same + 1 : 0
        last = now
        return same > 20
      })
      const taken = last - begun
      assert.ok(taken > 2 ** 20 && taken < BIG_BYTES / 4, `${taken} bytes were read for a client that took none`)
    }
    answer.destroy()
    await until('nothing is left open', () => openBelow(recorder.store).length === 0)
  }
  rmSync(big)
  const to = join(recorder.folder, 'out')
  const [whole] = await unpacked(url, to)
  assert.equal(whole?.recordingId, kept.manifest.recordingId)
})
