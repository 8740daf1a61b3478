// ffprobe and sox open what the recorder kept: format, length, silence in the pause, each voice on its channel.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Manifest } from '#store'
import { shareOfTone } from '../foreign/g711-tones.ts'
import { openRecordedTalk } from '../harness/recorded-talk.ts'
import { CALLEE_HZ, CALLER_HZ } from '../harness/talk.ts'
import { requireTools, runTool, startTool } from '../harness/tools.ts'

requireTools('ffprobe', 'sox', 'soxi')

const TOLERANCE_MS = 20
/** Kept away from the edges of a pause. */
const EDGE_MS = 40

interface Format {
  readonly codec: string
  readonly channels: number
  readonly sampleRateHz: number
  readonly durationMs: number
}

async function ffprobe(file: string): Promise<Format> {
  const { stdout, stderr } = await runTool('ffprobe', ['-v', 'warning', '-of', 'json', '-show_streams', file])
  assert.equal(stderr, '', 'ffprobe warns of nothing')
  const { streams } = JSON.parse(stdout) as { streams: Record<string, string | number>[] }
  const stream = streams[0] ?? {}
  return {
    codec: String(stream['codec_name']),
    channels: Number(stream['channels']),
    sampleRateHz: Number(stream['sample_rate']),
    durationMs: Number(stream['duration']) * 1000,
  }
}

async function soxi(file: string): Promise<Omit<Format, 'codec'>> {
  const ask = async (what: string): Promise<number> => Number((await runTool('soxi', [what, file])).stdout)
  return { channels: await ask('-c'), sampleRateHz: await ask('-r'), durationMs: (await ask('-D')) * 1000 }
}

/** Samples of one channel of a stretch, as sox extracts them. */
async function soxSamples(file: string, channel: number, fromMs: number, toMs: number): Promise<Int16Array> {
  const raw = ['-t', 'raw', '-e', 'signed', '-b', '16', '-L', '-']
  const trim = ['trim', `${fromMs / 1000}`, `=${toMs / 1000}`]
  const { stdout } = await runTool('sox', ['-V1', file, ...raw, 'remix', `${channel + 1}`, ...trim])
  const bytes = Buffer.from(stdout, 'latin1')
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~1)))
}

/** The greatest amplitude that `sox stat` finds in a stretch, 0 to 1. */
async function soxPeak(file: string, fromMs: number, toMs: number): Promise<number> {
  const trim = ['trim', `${fromMs / 1000}`, `=${toMs / 1000}`]
  const { code, stderr } = await startTool('sox', [file, '-n', ...trim, 'stat'], '.').ended
  assert.equal(code, 0, stderr)
  return Number(/Maximum amplitude:\s+([\d.-]+)/.exec(stderr)?.[1] ?? Number.NaN)
}

/** The stretch in which both streams were paused. */
function pauseOf(manifest: Manifest): { readonly fromMs: number; readonly toMs: number } {
  const pauses = manifest.streams.map((stream) => stream.gaps.find((gap) => gap.cause === 'paused-by-client'))
  const [one, two] = pauses
  assert.ok(one !== undefined && two !== undefined, 'both streams have a pause')
  return { fromMs: Math.max(one.fromMs, two.fromMs) + EDGE_MS, toMs: Math.min(one.toMs, two.toMs) - EDGE_MS }
}

test('ffprobe and sox read a recorded call with a pause', async (t) => {
  const kept = await (await openRecordedTalk(t)).play('tcp')

  await t.test('ffprobe and soxi agree with the manifest about recording.wav', async () => {
    const [probed, measured] = [await ffprobe(kept.audioPath), await soxi(kept.audioPath)]
    for (const { channels, sampleRateHz, durationMs } of [probed, measured]) {
      assert.deepEqual([channels, sampleRateHz], [2, 8000])
      assert.ok(Math.abs(durationMs - kept.manifest.durationMs) <= TOLERANCE_MS, `${durationMs} ms`)
    }
  })

  await t.test('ffprobe and soxi agree with the manifest about every file of a run', async () => {
    for (const stream of kept.manifest.streams) {
      for (const run of stream.runs) {
        const file = join(kept.folder, run.file)
        const [probed, measured] = [await ffprobe(file), await soxi(file)]
        assert.equal(probed.codec, 'pcm_mulaw')
        const expectedMs = run.bytes / 8
        for (const { channels, sampleRateHz, durationMs } of [probed, measured]) {
          assert.deepEqual([channels, sampleRateHz], [1, run.clockRateHz])
          assert.ok(Math.abs(durationMs - expectedMs) <= TOLERANCE_MS, `${run.file}: ${durationMs} ms`)
          const endMs = run.startMs + durationMs
          assert.ok(endMs <= kept.manifest.durationMs + TOLERANCE_MS, `${run.file} ends at ${endMs} ms`)
        }
      }
    }
  })

  await t.test('sox finds silence in the pause and sound around it', async () => {
    const { fromMs, toMs } = pauseOf(kept.manifest)
    assert.ok(toMs - fromMs > 900, `the pause is ${toMs - fromMs} ms long`)
    // The least step of G.711 is 8 of 32768.
    assert.ok((await soxPeak(kept.audioPath, fromMs, toMs)) <= 8 / 32_768)
    assert.ok((await soxPeak(kept.audioPath, fromMs - 600, fromMs - 200)) > 0.1)
    assert.ok((await soxPeak(kept.audioPath, toMs + 200, toMs + 600)) > 0.1)
  })

  await t.test('SRC-29: sox hears each side on its own channel, before and after the pause', async () => {
    const { fromMs, toMs } = pauseOf(kept.manifest)
    for (const [start, end] of [
      [fromMs - 600, fromMs - 200],
      [toMs + 200, toMs + 600],
    ] as const) {
      for (const [channel, own, other] of [
        [0, CALLER_HZ, CALLEE_HZ],
        [1, CALLEE_HZ, CALLER_HZ],
      ] as const) {
        const samples = await soxSamples(kept.audioPath, channel, start, end)
        assert.equal(samples.length, (end - start) * 8)
        assert.ok(shareOfTone(samples, own) > 0.95, `channel ${channel} holds ${own} Hz`)
        assert.ok(shareOfTone(samples, other) < 0.01, `channel ${channel} does not hold ${other} Hz`)
      }
    }
  })
})
