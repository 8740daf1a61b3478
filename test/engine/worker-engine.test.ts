// The TypeScript engine against the conformance suite, and what it does when a thread dies.

import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import type { Worker } from 'node:worker_threads'
import { createWorkerEngine, type MediaEngine, type MediaEvent, type WorkerEngineOptions } from '#engine'
import { type Clock, MemoryLogger, seededIds, settle, silentLogger } from '#kernel'
import { mediaEngineSuite } from './media-engine-suite.ts'

const clock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => performance.timeOrigin + performance.now(),
  after: (delayMs, _name, fire) => {
    const timer = setTimeout(fire, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
}

async function engineOf(options: Partial<WorkerEngineOptions>): Promise<MediaEngine> {
  return await createWorkerEngine({
    host: '127.0.0.1',
    portMin: 20_000,
    portMax: 29_999,
    workers: 2,
    log: silentLogger,
    clock,
    ids: seededIds(randomInt(2 ** 31)),
    ...options,
  })
}

mediaEngineSuite('worker', async ({ portPairs, rtcpMinimumMs, silentAfterMs }) => {
  if (portPairs === undefined) return await engineOf({ rtcpMinimumMs, silentAfterMs })
  // A small range lies somewhere in the upper part, where nothing else of the tests binds.
  const portMin = 30_000 + 2 * randomInt(1000)
  return await engineOf({ portMin, portMax: portMin + 2 * portPairs - 1, workers: 1, rtcpMinimumMs, silentAfterMs })
})

/** The threads that an engine starts. */
async function withWorkers(start: () => Promise<MediaEngine>): Promise<{ engine: MediaEngine; workers: Worker[] }> {
  const workers: Worker[] = []
  const note = (worker: Worker): void => void workers.push(worker)
  process.on('worker', note)
  try {
    return { engine: await start(), workers }
  } finally {
    process.off('worker', note)
  }
}

test('a thread that dies fails its calls and nothing else, and new calls have a thread again', async (t) => {
  const log = new MemoryLogger()
  const { engine, workers } = await withWorkers(() => engineOf({ workers: 1, log }))
  t.after(async () => await engine.close())
  const call = engine.openCall('doomed')
  await call.addLeg('a')
  await call.configureLeg('a', {
    codecs: [{ encoding: 'PCMU/8000', receivePayloadType: 0, sendPayloadType: 0 }],
    send: true,
    receive: true,
  })
  const played = call.play('a', { pcmu: new Uint8Array(80_000), pcma: new Uint8Array(80_000) })
  await call.counters()
  const failed = new Promise<MediaEvent>((resolve) => void call.onEvent(resolve))
  const replacement = once(process, 'worker')
  await workers[0]?.terminate()
  assert.deepEqual(await failed, { type: 'failed', reason: 'media.worker-lost' })
  assert.equal(await played, 'leg-gone')
  await assert.rejects(call.addLeg('b'), { code: 'media.worker-lost' })
  assert.deepEqual(await call.release(), { legs: {}, forks: [] })
  assert.deepEqual(log.messages(), ['relay worker lost'])
  const [worker] = (await replacement) as [Worker]
  await once(worker, 'message')
  await settle()
  const next = engine.openCall('next')
  await next.addLeg('a')
  await next.release()
  assert.deepEqual(await engine.census(), { calls: 0, legs: 0, forks: 0, ports: 0 })
})

test('an any-address is never shown in SDP, and an advertised host is', async (t) => {
  await assert.rejects(engineOf({ host: '0.0.0.0' }), { code: 'media.bad-address' })
  const engine = await engineOf({ host: '0.0.0.0', advertisedHost: '192.0.2.77', workers: 1 })
  t.after(async () => await engine.close())
  const local = await engine.openCall('call').addLeg('a')
  assert.equal(local.host, '192.0.2.77')
  assert.equal(local.rtpPort % 2, 0)
  assert.equal(local.rtcpPort, local.rtpPort + 1)
})
