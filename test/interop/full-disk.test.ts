// A disk that is really full, and one that is really read-only: a file system of its own for each test.

import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { MortalRecorder } from '../harness/mortal-recorder.ts'
import { cannotMount, OwnDisk } from '../harness/own-disk.ts'
import { until } from '../harness/until.ts'
import { judge, manifestsIn } from '../kill/kept-packets.ts'
import { KillClient } from '../kill/kill-client.ts'

const MEGABYTE = 2 ** 20
const PATIENCE_MS = 30_000
const options = { skip: cannotMount(), timeout: 120_000 }

interface Bench {
  readonly recorder: MortalRecorder
  readonly disk: OwnDisk
  readonly client: KillClient
}

/** A recorder whose folder is a file system of its own, and a client. */
async function open(t: TestContext, settings: Record<string, unknown> = {}, mounted = 'rw'): Promise<Bench> {
  const recorder = await MortalRecorder.make(t, settings)
  const disk = await OwnDisk.mount(t, recorder.store, 32 * MEGABYTE, mounted)
  recorder.command = disk.command
  await recorder.start()
  const client = await KillClient.open(recorder.sipPort('udp'))
  t.after(() => client.close())
  return { recorder, disk, client }
}

async function sent(client: KillClient, packets: number): Promise<void> {
  const streams = client.live.flatMap((session) => session.streams)
  const before = streams.map(({ sentAtMs }) => sentAtMs.length)
  const isSent = (): boolean => streams.every(({ sentAtMs }, at) => sentAtMs.length >= before[at]! + packets)
  await until('more was sent', isSent, PATIENCE_MS)
}

async function begin(client: KillClient, count = 1): Promise<void> {
  const wanted = client.live.length + count
  for (let n = 0; n < count; n += 1) client.begin()
  await until('the sessions are up', () => client.live.length === wanted, PATIENCE_MS)
}

async function refused(client: KillClient): Promise<void> {
  const before = client.refused
  client.begin()
  await until('a new session is refused', () => client.refused === before + 1, PATIENCE_MS)
  assert.equal(client.lastRefusal?.status, 503)
  assert.match(client.lastRefusal.retryAfter ?? 'none', /^\d+/)
}

async function published(disk: OwnDisk, count: number): ReturnType<typeof manifestsIn> {
  let kept: Awaited<ReturnType<typeof manifestsIn>> = []
  const isDone = async (): Promise<boolean> => {
    kept = await manifestsIn(disk.path)
    return kept.length === count && kept.every(({ isOpen }) => !isOpen)
  }
  await until('everything is published', isDone, PATIENCE_MS)
  return kept
}

/** Ends all sessions: so many recordings are published, and each has every packet. */
async function endedWhole({ disk, client }: Bench, count: number): Promise<void> {
  for (const session of client.live) assert.equal(await client.end(session), 200)
  const kept = await published(disk, count)
  for (const session of client.sessions) {
    assert.deepEqual(await judge(session, kept, []), { faults: [], losses: [] })
  }
}

test(
  'a full disk refuses new sessions with 503 and Retry-After; those under way lose nothing when it has room again in time',
  options,
  async (t) => {
    const bench = await open(t)
    const { recorder, disk, client } = bench
    await begin(client, 2)
    await sent(client, 50)
    const ballast = disk.fill()
    await until('the recorder says so', () => recorder.has('disk does not write'), PATIENCE_MS)
    await refused(client)
    await sent(client, 100)
    rmSync(ballast)
    await until('the recorder says so', () => recorder.has('disk writes again'), PATIENCE_MS)
    await begin(client)
    await sent(client, 50)
    await endedWhole(bench, 3)
  },
)

test(
  'SRS-24: a recorder on a full disk stops within bounds, and the ledger tells what could not be kept',
  options,
  async (t) => {
    const { recorder, disk, client } = await open(t)
    await begin(client, 2)
    await sent(client, 50)
    const ballast = disk.fill()
    await until('the recorder says so', () => recorder.has('disk does not write'), PATIENCE_MS)
    await sent(client, 100)
    await recorder.stop()
    assert.ok(recorder.has('audio could not be kept'))
    rmSync(ballast)
    await recorder.start()
    for (const { manifest } of await published(disk, 2)) {
      for (const { gaps, account } of manifest.streams) {
        const told = gaps.find(({ cause }) => cause === 'disk')
        assert.ok(told !== undefined && told.toMs - told.fromMs > 1900, JSON.stringify(gaps))
        // The session closes a moment after the disk was given up; those milliseconds have causes of their own.
        assert.ok(manifest.durationMs - told.toMs < 100, JSON.stringify(gaps))
        const accountedMs = Object.values(account?.missingMs ?? {}).reduce((sum, ms) => sum + ms, account?.audioMs ?? 0)
        assert.ok(Math.abs(accountedMs - manifest.durationMs) < 1, `${accountedMs} of ${manifest.durationMs}`)
      }
    }
  },
)

test('SRS-24: sessions are refused before the disk is full, and those under way are kept whole', options, async (t) => {
  const bench = await open(t, { minFreeBytes: 8 * MEGABYTE })
  const { recorder, disk, client } = bench
  await begin(client)
  const ballast = disk.fill(6 * MEGABYTE)
  await until('it is known', () => recorder.has('disk is nearly full; new sessions are refused'), PATIENCE_MS)
  assert.equal((await fetch(`${recorder.httpUrl}/readyz`)).status, 503)
  await refused(client)
  const metrics = await (await fetch(`${recorder.httpUrl}/metrics`)).text()
  assert.match(metrics, /recorder_disk_condition\{condition="low"\} 1\n/)
  assert.match(metrics, /recorder_disk_free_bytes 6\d{6}\n/)
  assert.ok(!recorder.has('disk does not write'))
  rmSync(ballast)
  await until('it has room again', () => recorder.has('disk writes again'), PATIENCE_MS)
  await begin(client)
  await sent(client, 20)
  await endedWhole(bench, 2)
})

test(
  'a recorder that starts on a read-only disk refuses with 503 and Retry-After, and goes on when it can be written',
  options,
  async (t) => {
    const { recorder, disk, client } = await open(t, {}, 'ro')
    await refused(client)
    disk.remount('rw')
    await until('the recorder takes sessions', async () => (await fetch(`${recorder.httpUrl}/readyz`)).ok, PATIENCE_MS)
    await begin(client)
    assert.equal(await client.end(client.live[0]!), 200)
    await published(disk, 1)
  },
)
