// The TypeScript engine against the conformance suite.

import { randomInt } from 'node:crypto'
import { createWorkerEngine } from '#engine'
import { type Clock, seededIds, silentLogger } from '#kernel'
import { mediaEngineSuite } from './media-engine-suite.ts'

const clock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => performance.timeOrigin + performance.now(),
  after: (delayMs, _name, fire) => {
    const timer = setTimeout(fire, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
}

mediaEngineSuite('worker', async ({ portPairs, rtcpMinimumMs, silentAfterMs }) => {
  const isSmall = portPairs !== undefined
  // A small range lies somewhere in the upper part, where nothing else of the tests binds.
  const portMin = isSmall ? 30_000 + 2 * randomInt(1000) : 20_000
  return await createWorkerEngine({
    host: '127.0.0.1',
    portMin,
    portMax: isSmall ? portMin + 2 * portPairs - 1 : 29_999,
    workers: isSmall ? 1 : 2,
    log: silentLogger,
    clock,
    ids: seededIds(randomInt(2 ** 31)),
    rtcpMinimumMs,
    silentAfterMs,
  })
})
