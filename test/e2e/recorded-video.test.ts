// A call with video, recorded by our own recorder: what lies in its folder is what the parties sent, and nothing of a pause.

import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { goertzelPower } from '#audio'
import { readRawRun, type StreamManifest } from '#store'
import { RtpParty } from '../engine/rtp-party.ts'
import { type KeptRecording, keptRecording } from '../harness/kept-recording.ts'
import { CALLEE_HZ, CALLER_HZ, openPhone, openTestGateway, placeTalk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const H264 = 97
const FRAME_MS = 20
const FRAME_TICKS = 1800
const FRAME_BYTES = 1100
/** What is waited for: a third of a second. */
const FRAMES = 16
/** Samples of 100 ms. */
const PART = 800
const PATIENCE_MS = 30_000

/** A party's camera: each packet says whose it is and which, and is as long as packets of video are. */
class Camera {
  readonly screen: RtpParty
  readonly #name: string
  readonly #ssrc: number
  #toPort = 0
  #timer: NodeJS.Timeout | undefined
  sent = 0

  constructor(screen: RtpParty, name: string, ssrc: number) {
    this.screen = screen
    this.#name = name
    this.#ssrc = ssrc
  }

  static async open(t: TestContext, name: string, ssrc: number): Promise<Camera> {
    const screen = await RtpParty.open()
    const camera = new Camera(screen, name, ssrc)
    t.after(() => {
      camera.stop()
      screen.close()
    })
    return camera
  }

  packet(number: number): Buffer {
    return Buffer.from(`<${this.#name} ${number}>`.padEnd(FRAME_BYTES, '.'), 'latin1')
  }

  show(toPort: number): void {
    this.#toPort = toPort
    this.#timer = setInterval(() => {
      const number = this.sent++
      const header = { payloadType: H264, sequence: number & 0xffff, timestamp: number * FRAME_TICKS, ssrc: this.#ssrc }
      this.screen.say(this.#toPort, header, this.packet(number))
    }, FRAME_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

function keptNumbers({ folder }: KeptRecording, { runs }: StreamManifest, camera: Camera): number[] {
  return runs.flatMap((run) =>
    [...readRawRun(join(folder, run.file), run)].map(({ payload }) => {
      const number = Number(/ (\d+)>/.exec(Buffer.from(payload).toString('latin1'))?.[1])
      assert.ok(camera.packet(number).equals(payload), `packet ${number} is as it was sent`)
      return number
    }),
  )
}

interface LiveView {
  readonly items: readonly { readonly streams: readonly { readonly kind: string; readonly packets: number }[] }[]
}

test('SRS-13, FLOW-22: of a video call our recorder keeps each picture byte for byte, none of a pause, and the voices as ever', async (t) => {
  const cameras = [await Camera.open(t, 'alice', 0xa1), await Camera.open(t, 'bob', 0xb2)] as const
  const phones = [await openPhone(t, 'alice', 'udp'), await openPhone(t, 'bob', 'udp')] as const
  for (const [at, phone] of phones.entries()) phone.video = cameras[at]!.screen.remote
  const [alice, bob] = phones
  const opened = await openTestGateway(t, {
    gateway: { routes: [{ match: 'bob', callee: bob.uri }] },
    recorder: true,
  })
  const talk = await placeTalk(opened, alice, bob)
  for (const [at, call] of [talk.caller, talk.callee].entries()) {
    await until('video was agreed', () => call.videoRemote !== undefined)
    cameras[at]!.show(call.videoRemote!.rtp.port)
  }
  const live = async () => {
    const { items } = (await (await fetch(`${opened.httpUrl}/api/recorder/sessions`)).json()) as LiveView
    return items[0]?.streams ?? []
  }
  const recorded = async (): Promise<number> => {
    const counts = (await live()).filter(({ kind }) => kind === 'video').map(({ packets }) => packets)
    return counts.length < 2 ? 0 : Math.min(...counts)
  }
  const seeMore = async (): Promise<void> => {
    const seen = cameras.map(({ screen }) => screen.heard.length)
    const hasMore = (): boolean => cameras.every(({ screen }, at) => screen.heard.length >= seen[at]! + FRAMES)
    await until('everybody sees more', hasMore, PATIENCE_MS)
  }
  assert.equal((await talk.rest('start', opened.recorderUri('tcp'))).status, 200)
  await until('pictures are recorded', async () => (await recorded()) >= FRAMES, PATIENCE_MS)
  assert.deepEqual(
    (await live()).map(({ kind }) => kind),
    ['audio', 'audio', 'video', 'video'],
  )
  assert.equal((await talk.rest('pause')).status, 200)
  const pausedFrom = cameras.map(({ sent }) => sent)
  await seeMore()
  const pausedTo = cameras.map(({ sent }) => sent)
  const before = await recorded()
  assert.equal((await talk.rest('resume')).status, 200)
  await until('pictures are recorded again', async () => (await recorded()) >= before + FRAMES, PATIENCE_MS)
  await talk.assertUndisturbed()
  for (const camera of cameras) camera.stop()
  await talk.end()

  const kept = await keptRecording(opened.store)
  const { manifest, channels, folder } = kept
  assert.deepEqual(
    manifest.streams.map(({ channel, kind, label, participants }) => [
      channel,
      kind,
      label !== undefined,
      participants.length,
    ]),
    [
      [0, undefined, true, 1],
      [1, undefined, true, 1],
      [2, 'video', true, 1],
      [3, 'video', true, 1],
    ],
  )
  assert.equal(channels.length, 2, 'no channel of the audio is a picture')
  for (const [at, [own, other]] of [
    [CALLER_HZ, CALLEE_HZ],
    [CALLEE_HZ, CALLER_HZ],
  ].entries()) {
    assert.ok(heardParts(channels[at]!, own!) >= 5, `${own} Hz on channel ${at}`)
    assert.equal(heardParts(channels[at]!, other!), 0, `${other} Hz on channel ${at}`)
  }
  for (const [at, camera] of cameras.entries()) {
    const stream = manifest.streams[2 + at]!
    const numbers = keptNumbers(kept, stream, camera)
    assert.ok(numbers.length >= 2 * FRAMES)
    const seam = numbers.findIndex((number, index) => number !== numbers[0]! + index)
    assert.ok(seam > 0, 'there is a cut')
    assert.deepEqual(
      numbers,
      [...numbers.keys()].map((index) => (index < seam ? numbers[0]! + index : numbers[seam]! + index - seam)),
      'no picture is missing but for those of the pause, and none is out of order',
    )
    assert.ok(numbers.every((number) => number < pausedFrom[at]! || number >= pausedTo[at]!))
    assert.ok(numbers[seam - 1]! < pausedFrom[at]! && numbers[seam]! >= pausedTo[at]!)
    const [pause, ...others] = stream.totals.pauses
    assert.deepEqual([pause?.packets, others], [0, []], 'nothing came to the socket in the pause')
    assert.equal(stream.totals.lost, 0)
    assert.ok((stream.account?.missingMs['paused-by-client'] ?? 0) > 0)
    const text = await allOf(folder)
    for (let number = pausedFrom[at]!; number < pausedTo[at]!; number++) {
      assert.ok(!text.includes(camera.packet(number).subarray(0, 20)), `picture ${number} of the pause is in no file`)
    }
  }
  assert.equal(manifest.alarms, undefined)
})

/** Parts of 100 ms that are of nothing but a tone. */
function heardParts(samples: Int16Array, frequencyHz: number): number {
  const parts = Array.from({ length: Math.floor(samples.length / PART) }, (_unused, at) => {
    return samples.subarray(at * PART, (at + 1) * PART)
  })
  return parts.filter((part) => goertzelPower(part, 8000, frequencyHz) > 0.9).length
}

async function allOf(folder: string): Promise<Buffer> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return Buffer.concat(await Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name)))))
}
