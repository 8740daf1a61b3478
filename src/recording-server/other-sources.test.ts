import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodePcmu, goertzelPower, readWav, tone } from '#audio'
import { RecordingStore, recoverRecordings } from '#store'
import { RoomBench } from '../../test/harness/room-bench.ts'
import type { RtpSource } from '../../test/harness/rtp-source.ts'
import { until } from '../../test/harness/until.ts'

const PACKET = 160

/** One address that sends as two sources, a packet of each every 20 ms. */
class Pair {
  readonly #bench: RoomBench
  readonly #source: RtpSource
  /** The other source; another one when it is set. */
  second = { ssrc: 0xbeef, sequence: 9000, timestamp: 777_777 }

  constructor(bench: RoomBench, source: RtpSource) {
    this.#bench = bench
    this.#source = source
  }

  async talk(one: Uint8Array, other: Uint8Array): Promise<void> {
    const { packets: before } = (await this.#bench.totals())[0]!
    for (let at = 0; at < one.length; at += PACKET) {
      this.#bench.clock.advance(20)
      await this.#source.sendPacket(one.subarray(at, at + PACKET))
      // What was sent before it has come as well: it is one socket.
      await until('it has come', async () => (await this.#bench.totals())[0]!.packets > before + at / PACKET)
      if (at < other.length) await this.#sendAsSecond(other.subarray(at, at + PACKET))
    }
    for (let turn = 0; turn < 100; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve))
  }

  async #sendAsSecond(payload: Uint8Array): Promise<void> {
    const { ssrc, sequence, timestamp } = this.#source
    Object.assign(this.#source, this.second)
    await this.#source.sendPacket(payload)
    this.second = { ...this.second, sequence: this.#source.sequence, timestamp: this.#source.timestamp }
    Object.assign(this.#source, { ssrc, sequence, timestamp })
  }
}

async function channel(folder: string): Promise<Int16Array> {
  const wav = readWav(await readFile(join(folder, 'recording.wav')))
  assert.ok(wav.ok)
  return wav.value.samples[0]!
}

function powers(samples: Int16Array): number[] {
  return [400, 1000, 2000].map((hz) => goertzelPower(samples, 8000, hz))
}

test('RTP-12, L-19: two SSRCs that speak at once on one m-line are both kept, and both heard in its channel', async (t) => {
  const bench = await RoomBench.open(t)
  const pair = new Pair(bench, await bench.addStream())
  await pair.talk(encodePcmu(tone(400, 2000)), encodePcmu(tone(1000, 2000)))
  const { manifest, folder } = await bench.close()
  const [stream] = manifest.streams
  assert.equal(manifest.streams.length, 1)
  const [other] = stream!.others ?? []
  assert.equal(stream!.others?.length, 1)
  assert.equal(other?.ssrc, 0xbeef)
  assert.equal(other.totals.packets, 100)
  assert.equal(other.totals.lost, 0)
  assert.equal(stream!.totals.packets, 100)
  assert.equal(stream!.totals.wrongSource, 0)
  assert.deepEqual(
    stream!.gaps.filter(({ cause }) => cause === 'lost'),
    [],
  )
  const [low, high, none] = powers((await channel(folder)).subarray(800, 15_200))
  assert.ok(low! > 0.4 && high! > 0.4 && none! < 0.01, `${low} ${high} ${none}`)
  const { sum } = { sum: Object.values(other.account!.missingMs).reduce((all, ms) => all + ms, other.account!.audioMs) }
  assert.ok(Math.abs(sum - manifest.durationMs) < 1, `${sum} of ${manifest.durationMs}`)
  const own = readWav(await readFile(join(folder, other.runs[0]!.file)))
  assert.ok(own.ok && goertzelPower(own.value.samples[0]!.subarray(800, 15_000), 8000, 1000) > 0.9)
})

test('a pause holds for every source of a stream, and for what nobody knows yet whose it is', async (t) => {
  const bench = await RoomBench.open(t)
  const pair = new Pair(bench, await bench.addStream())
  const quiet = encodePcmu(tone(400, 400))
  const secret = encodePcmu(tone(2000, 400))
  for (const said of [secret.subarray(0, 3 * PACKET), secret]) {
    await bench.room.handle({ type: 'pause', recordingId: 'r1' })
    await pair.talk(quiet, said)
    await bench.room.handle({ type: 'resume', recordingId: 'r1' })
    await pair.talk(quiet, encodePcmu(tone(1000, 400)))
  }
  const { folder } = await bench.close()
  const samples = await channel(folder)
  const [, high, told] = powers(samples)
  assert.ok(high! > 0.01 && told! < 0.001, `${high} ${told}`)
  const names = await readdir(folder)
  for (const name of names.filter((one) => one.includes('.run-'))) {
    const wav = readWav(await readFile(join(folder, name)))
    assert.ok(wav.ok && powers(wav.value.samples[0]!)[2]! < 0.001, name)
  }
})

test('sources that send a packet and no more do not keep a later one out', async (t) => {
  const bench = await RoomBench.open(t)
  const pair = new Pair(bench, await bench.addStream())
  const packet = encodePcmu(tone(1000, 20))
  const own = pair.second
  for (const ssrc of [1, 2, 3, 4, 5, 6]) {
    pair.second = { ...own, ssrc }
    await pair.talk(encodePcmu(tone(400, 60)), packet)
  }
  pair.second = own
  await pair.talk(encodePcmu(tone(400, 1000)), encodePcmu(tone(1000, 1000)))
  const [stream] = (await bench.close()).manifest.streams
  assert.deepEqual(
    stream!.others?.map(({ ssrc, totals }) => [ssrc, totals.packets]),
    [[0xbeef, 50]],
  )
  assert.equal(stream!.totals.wrongSource, 6)
})

test('RTP-27: another SSRC from another address is no second source', async (t) => {
  const bench = await RoomBench.open(t)
  const source = await bench.addStream()
  const stranger = await bench.source(0, 0xbeef)
  const voice = encodePcmu(tone(400, 400))
  await bench.talk([0, source, voice], [0, stranger, encodePcmu(tone(1000, 400))]).catch(() => {})
  const { manifest } = await bench.close()
  assert.equal(manifest.streams[0]?.others, undefined)
  assert.ok((manifest.streams[0]?.totals.wrongSource ?? 0) > 10)
})

test('recovery finds the other sources of a stream, and mixes them as well', async (t) => {
  const bench = await RoomBench.open(t)
  const pair = new Pair(bench, await bench.addStream())
  await pair.talk(encodePcmu(tone(400, 1000)), encodePcmu(tone(1000, 1000)))
  await bench.clock.advanceAsync(1000)
  // As a dead process leaves it.
  const root = await mkdtemp(join(tmpdir(), 'left-'))
  t.after(() => rm(root, { recursive: true }))
  await bench.room.handle({ type: 'stop' })
  await rename(join(bench.root, '2026'), join(root, '2026'))
  const catalogue = { put: async () => {} } as unknown as Parameters<typeof recoverRecordings>[1]
  const store = new RecordingStore({ root })
  const { recovered, failures } = await recoverRecordings(store, catalogue)
  assert.deepEqual(failures, [])
  assert.equal(recovered[0]?.streams[0]?.others?.[0]?.ssrc, 0xbeef)
  const [low, high] = powers((await channel(join(root, '2026/01/05/r1'))).subarray(800, 7200))
  assert.ok(low! > 0.4 && high! > 0.4, `${low} ${high}`)
})
