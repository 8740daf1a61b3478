import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { leftFolders } from '#store'
import { PCMU, RECORDING, RoomBench } from '../../test/harness/room-bench.ts'
import type { RecordReplies } from './record-messages.ts'

/** Takes the pair of ports that comes after those of the bench's last stream away from the recorder. */
async function takeNextPort(t: TestContext, bench: RoomBench): Promise<void> {
  const socket = createSocket('udp4').bind(bench.ports.at(-1)! + 2, '127.0.0.1')
  t.after(() => socket.close())
  await once(socket, 'listening')
}

function ask(bench: RoomBench, label: string): Promise<RecordReplies['add-stream']> {
  const settings = { codecs: [PCMU], isPaused: false }
  const asked = bench.room.handle({ type: 'add-stream', recordingId: RECORDING, label, settings })
  return asked as Promise<RecordReplies['add-stream']>
}

test('SRS-13: streams that are asked for at once have their channels in that order, also when a port is taken', async (t) => {
  const bench = await RoomBench.open(t)
  await bench.addStream({}, 'a')
  await takeNextPort(t, bench)
  const added = await Promise.all(['b', 'c', 'd'].map((label) => ask(bench, label)))
  assert.deepEqual(
    added.map(({ channel }) => channel),
    [1, 2, 3],
  )
  assert.ok(added[0]!.rtpPort > added[1]!.rtpPort, 'the first of them had to look for another port')
  const { manifest } = await bench.close()
  assert.deepEqual(
    manifest.streams.map(({ label }) => label),
    ['a', 'b', 'c', 'd'],
  )
})

test('a stream whose recording is closed while its ports are being had is none, and its ports are free again', async (t) => {
  const bench = await RoomBench.open(t)
  await bench.addStream({}, 'a')
  const late = ask(bench, 'b')
  const [outcome, closed] = await Promise.allSettled([late, bench.close()])
  assert.equal(closed.status, 'fulfilled')
  assert.equal(outcome.status, 'rejected')
  assert.match(String((outcome as PromiseRejectedResult).reason), /no such recording is open/)
  const taken = createSocket('udp4').bind(bench.ports[0]! + 2, '127.0.0.1')
  await once(taken, 'listening')
  taken.close()
})

test('a recording that cannot be reopened in full lets go of all that it took, and nobody reports on it', async (t) => {
  const bench = await RoomBench.open(t)
  const rtcp = { host: '127.0.0.1', port: 9 }
  const settings = { codecs: [PCMU], isPaused: false, rtcp }
  for (const label of ['a', 'b']) await bench.addStream({ rtcp }, label)
  await bench.room.handle({ type: 'stop' })
  const next = new RoomBench(bench.root, {})
  t.after(() => next.room.handle({ type: 'stop' }))
  const [{ folder, manifest } = { folder: '', manifest: undefined }] = leftFolders(bench.root)
  assert.ok(manifest !== undefined)
  const [first = 0, second = 0] = bench.ports
  const spoilt = {} as typeof settings
  const streams = [
    { label: 'a', rtpPort: first, settings, isRemoved: false },
    { label: 'b', rtpPort: second, settings: spoilt, isRemoved: false },
  ]
  const command = { type: 'reopen', recordingId: RECORDING, folder, manifest, awayMs: 0 } as const
  await assert.rejects(next.room.handle({ ...command, streams }))
  next.clock.advance(30_000)
  const [state] = next.states.slice(-1)
  assert.equal(state?.openFiles, 0)
  for (const port of [first, second]) {
    const socket = createSocket('udp4').bind(port, '127.0.0.1')
    await once(socket, 'listening')
    await new Promise<void>((resolve) => void socket.close(() => resolve()))
  }
})
