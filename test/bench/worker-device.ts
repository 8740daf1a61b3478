// Our TypeScript engine as a device of the relay bench, in a process of its own.

import { createWorkerEngine, type MediaRemote } from '#engine'
import { type Clock, type Endpoint, seededIds, silentLogger } from '#kernel'
import { openChildDevice } from './child.ts'
import type { BenchTargets, Device } from './relay.ts'

const PCMU = { encoding: 'PCMU/8000', receivePayloadType: 0, sendPayloadType: 0 }

/** Opens the engine with one relay worker. */
export function openWorkerDevice(targets: BenchTargets): Promise<Device> {
  return openChildDevice(new URL(import.meta.url), 'device', targets)
}

const clock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => performance.timeOrigin + performance.now(),
  after: (delayMs, _name, fire) => {
    const timer = setTimeout(fire, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
}

function remoteOf(rtp: Endpoint): MediaRemote {
  return { rtp, rtcp: rtp }
}

async function serve(targets: BenchTargets): Promise<number[]> {
  const engine = await createWorkerEngine({
    host: '127.0.0.1',
    portMin: 20_000,
    portMax: 32_767,
    workers: 1,
    log: silentLogger,
    clock,
    ids: seededIds(1),
    lowerMainPriority: true,
  })
  process.once('disconnect', () => void engine.close())
  const legPorts: number[] = []
  for (let index = 0; index < targets.legs.length; index += 2) {
    const call = engine.openCall(`call-${index}`)
    for (const leg of [index, index + 1]) {
      const local = await call.addLeg(`${leg}`)
      legPorts.push(local.rtpPort)
      const remote = remoteOf(targets.legs[leg]!)
      await call.configureLeg(`${leg}`, { remote, codecs: [PCMU], send: true, receive: true })
      for (const [recorder, endpoint] of targets.forks[leg]!.entries()) {
        const id = `${leg}-${recorder}`
        await call.addFork({ id, tap: { leg: `${leg}`, point: 'received' }, open: true })
        await call.connectFork(id, { remote: remoteOf(endpoint), codecs: [PCMU] })
      }
    }
    await call.bridge(`${index}`, `${index + 1}`)
  }
  return legPorts
}

if (process.argv[2] === 'device') {
  process.once('message', (targets: BenchTargets) => {
    serve(targets).then(
      (legPorts) => process.send?.(legPorts),
      (error: unknown) => {
        throw error
      },
    )
  })
}
