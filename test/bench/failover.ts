// How soon a second recorder has the audio: when the first one fails at the start, and when it hangs up in the middle.

import { once } from 'node:events'
import { createServer } from 'node:net'
import { CommandScene } from './command-scene.ts'
import { figure, percentile, type Section } from './report.ts'
import { openRtpSocket } from './rtp-speaker.ts'

const FRAME_MS = 20
const WARM_UP = 10
/** Silence after which the next recorder is asked, by the configuration of the bench. */
const FIRST_RESPONSE_MS = 1_500

/** Measures so many failovers of each kind; those that wait for silence are a tenth as many. */
export async function benchFailover(repetitions: number): Promise<Section> {
  const scene = await CommandScene.open()
  const times = async (count: number, measure: () => Promise<number>): Promise<number[]> => {
    const all: number[] = []
    for (let at = 0; at < count; at++) all.push(await measure())
    return all
  }
  try {
    await scene.call(FRAME_MS)
    await times(WARM_UP, () => scene.failOver(scene.refusing))
    const refused = await times(repetitions, () => scene.failOver(scene.refusing))
    const closed = await times(repetitions, async () => scene.failOver(await closedPort()))
    const silent = await times(Math.max(3, Math.round(repetitions / 10)), () => afterSilence(scene))
    const reHomed = await times(repetitions, () => scene.reHome())
    await scene.hangUp()
    return section([
      ['start → first RTP at the second recorder, the first refuses', refused],
      ['start → first RTP at the second recorder, the first takes no connection', closed],
      ['start → first RTP at the second recorder, the first is silent', silent],
      ['recorder hangs up mid-call → longest time without RTP until the next has it', reHomed],
    ])
  } finally {
    await scene.close()
  }
}

/** A recorder where nobody listens, a new one each time: one that is known to be down would be asked last. */
async function closedPort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return `sip:srs@127.0.0.1:${typeof address === 'object' ? address?.port : 0};transport=tcp`
}

/** A recorder that says nothing: a port that nobody reads. */
async function afterSilence(scene: CommandScene): Promise<number> {
  const socket = await openRtpSocket()
  try {
    return await scene.failOver(`sip:srs@127.0.0.1:${socket.address().port};transport=udp`)
  } finally {
    socket.close()
  }
}

function section(rows: ReadonlyArray<readonly [string, readonly number[]]>): Section {
  return {
    title: 'Failover: from the fault to the packets at the next recorder',
    columns: ['what', 'times', 'p50 ms', 'p99 ms', 'most ms'],
    rows: rows.map(([name, values]) => [
      name,
      figure(values.length),
      ...[percentile(values, 0.5), percentile(values, 0.99), Math.max(...values)].map((value) => figure(value, 1)),
    ]),
    notes: [
      `A recorder that is silent is left after ${figure(FIRST_RESPONSE_MS)} ms; that is part of its row.`,
      'Packets of 20 ms from both parties of one call; the whole gateway in its own process, all on loopback.',
    ],
  }
}
