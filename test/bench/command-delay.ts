// How soon a recording command shows in the packets: the whole gateway, SIP over TCP to the recorder, commands over HTTP.

import { setTimeout as pause } from 'node:timers/promises'
import { CommandScene } from './command-scene.ts'
import { figure, percentile, type Section } from './report.ts'

const FRAME_MS = 20
/** Frames so short that the time to the next packet does not hide what is measured. */
const PROBE_MS = 1
/** Commands before anything is measured, when code that runs seldom is not compiled yet. */
const WARM_UP = 60
const START_GOAL_MS = 25
const PAUSE_GOAL_MS = 5

/** Times of one kind, in ms. */
interface Delays {
  readonly startToInvite: number[]
  readonly startToPacket: number[]
  readonly probeStartToPacket: number[]
  readonly pauseToLastPacket: number[]
  readonly resumeToPacket: number[]
  /** Packets that came after the pause was reported as done. */
  packetsAfterPause: number
}

/** Measures so many starts with ordinary packets, starts, pauses and resumes with packets every millisecond. */
export async function benchCommands(repetitions: number): Promise<Section> {
  const scene = await CommandScene.open()
  const delays: Delays = {
    startToInvite: [],
    startToPacket: [],
    probeStartToPacket: [],
    pauseToLastPacket: [],
    resumeToPacket: [],
    packetsAfterPause: 0,
  }
  try {
    await scene.call(FRAME_MS)
    for (let i = 0; i < WARM_UP; i++) await scene.startAndStop()
    for (let i = 0; i < repetitions; i++) {
      // A start meets the packets at any moment of their interval.
      await pause(Math.random() * FRAME_MS)
      const { inviteMs, packetMs } = await scene.startAndStop()
      delays.startToInvite.push(inviteMs)
      delays.startToPacket.push(packetMs)
    }
    await scene.hangUp()
    await scene.call(PROBE_MS)
    await scene.startAndStop()
    for (let i = 0; i < repetitions; i++) delays.probeStartToPacket.push((await scene.startAndStop()).packetMs)
    await scene.start()
    for (let i = 0; i < WARM_UP; i++) {
      await scene.pauseToLastPacket()
      await scene.resumeToPacket()
    }
    for (let i = 0; i < repetitions; i++) {
      const paused = await scene.pauseToLastPacket()
      delays.pauseToLastPacket.push(paused.lastMs)
      delays.packetsAfterPause += paused.packetsAfter
      delays.resumeToPacket.push(await scene.resumeToPacket())
    }
    await scene.hangUp()
  } finally {
    await scene.close()
  }
  return section(repetitions, delays)
}

function section(repetitions: number, delays: Delays): Section {
  const row = (name: string, values: readonly number[], goalMs?: number): string[] => {
    const p99 = percentile(values, 0.99)
    const goal = goalMs === undefined ? '-' : `< ${goalMs} ms: ${p99 < goalMs ? 'met' : 'missed'}`
    return [name, figure(percentile(values, 0.5), 2), figure(p99, 2), figure(Math.max(...values), 2), goal]
  }
  return {
    title: 'Commands: from the HTTP request to the packets',
    columns: ['what', 'p50 ms', 'p99 ms', 'most ms', 'goal for p99'],
    rows: [
      row('start → first RTP packet at the recorder, packets of 20 ms', delays.startToPacket, START_GOAL_MS),
      row('start → INVITE at the recorder', delays.startToInvite),
      row('start → first RTP packet at the recorder, packets of 1 ms', delays.probeStartToPacket),
      row('pause → last RTP packet at the recorder, packets of 1 ms', delays.pauseToLastPacket, PAUSE_GOAL_MS),
      row('resume → first RTP packet at the recorder, packets of 1 ms', delays.resumeToPacket),
    ],
    notes: [
      `${repetitions} repetitions each, after ${WARM_UP} to warm up, on one call between two parties who both speak; the gateway is started as users start it.`,
      'POST /api/calls/:id/recording, SIP over TCP to the recorder, all on loopback; times are those of the bench process.',
      `RTP packets at the recorder after the pause was answered: ${delays.packetsAfterPause}.`,
    ],
  }
}
