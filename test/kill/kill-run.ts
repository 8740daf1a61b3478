// A recorder under load that is killed again and again at random moments, its own recovery included; then everything that
// it accepted is looked for, packet by packet.

import { systemClock } from '#net'
import { plainFiles, type RecordingFiles } from '#store'
import type { MortalRecorder } from '../harness/mortal-recorder.ts'
import { until } from '../harness/until.ts'
import { isAllPublished, judge, type Kill, type Loss, manifestsIn, unplayable } from './kept-packets.ts'
import { KillClient } from './kill-client.ts'

const LONGEST_LIFE_MS = 1500
const SETTLE_MS = 120_000
/** An INVITE without any answer is repeated for 32 s. */
const REPEATED_MS = 35_000
/** One kill in so many meets the recorder while it starts. */
const STARTS_KILLED = 6
const LONGEST_START_MS = 600
/** Sessions that begin, and as many that end, in each life. */
const CHURN = 2

/** How a run goes. */
export interface KillRunOptions {
  readonly kills: number
  /** Sessions at a time, two streams each. */
  readonly sessions: number
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly onKill?: (kill: number) => void
  /** How the recorder's files are read. */
  readonly files?: RecordingFiles
  /** The sessions are SRTP. */
  readonly isSecured?: boolean
}

/** What came of it. */
export interface KillRunResult {
  readonly faults: readonly string[]
  /** By stream and kill. */
  readonly losses: readonly Loss[]
  readonly kills: number
  readonly sessions: number
  /** Those that the recorder ended, and did not go on with. */
  readonly ended: number
  readonly packetsSent: number
}

/** Kills a running recorder so many times, ends every session, and judges what is there. */
export async function runKills(recorder: MortalRecorder, options: KillRunOptions): Promise<KillRunResult> {
  const { random, files = plainFiles, isSecured = false } = options
  const client = await KillClient.open(recorder.sipPort('udp'), 1, isSecured)
  const kills: Kill[] = []
  const faults: string[] = []
  const ends: Promise<number>[] = []
  try {
    for (let n = 0; n < options.sessions; n++) client.begin()
    await until('the sessions are up', () => client.live.length >= options.sessions, SETTLE_MS)
    while (kills.length < options.kills) {
      for (const session of client.live.slice(0, client.live.length - options.sessions + CHURN)) {
        ends.push(client.end(session))
      }
      for (let n = 0; n < CHURN; n++) client.begin()
      await passed(random() * LONGEST_LIFE_MS)
      await recorder.kill()
      const died: Kill[] = [{ atMs: recorder.killedAtMs, backAtMs: Number.POSITIVE_INFINITY }]
      faults.push(...(await unplayable(recorder.store, files)))
      if (random() < 1 / STARTS_KILLED && kills.length + 1 < options.kills) {
        await recorder.startAndKill(random() * LONGEST_START_MS)
        died.push({ atMs: recorder.killedAtMs, backAtMs: Number.POSITIVE_INFINITY })
      }
      await recorder.start()
      const backAtMs = systemClock.nowMs()
      for (const kill of died) kill.backAtMs = backAtMs
      kills.push(...died)
      options.onKill?.(kills.length)
    }
    await passed(LONGEST_LIFE_MS)
    // The INVITE that the last kill cut off is sent again, and its session is one to end.
    await until('every INVITE is answered', () => client.unanswered === 0, REPEATED_MS).catch(() => {
      // Who had 100 of a life that is over is not sent again (RFC 3261 section 17.1.1.2), and the next life knows nothing of it.
      client.giveUp()
    })
    for (const session of client.live) ends.push(client.end(session))
    const statuses = await Promise.all(ends)
    const unanswered = statuses.filter((status) => status !== 200 && status !== 481).length
    if (unanswered > 0) faults.push(`${unanswered} BYE without an answer`)
    await until('everything is published', () => isAllPublished(recorder.store), SETTLE_MS)
    const kept = await manifestsIn(recorder.store, files)
    const losses: Loss[] = []
    for (const session of client.sessions) {
      const judged = await judge(session, kept, kills, files)
      faults.push(...judged.faults)
      losses.push(...judged.losses)
    }
    const packetsSent = client.sessions
      .flatMap(({ streams }) => streams)
      .reduce((sum, one) => sum + one.sentAtMs.length, 0)
    const { sessions, ended } = client
    return { faults, losses, kills: kills.length, sessions: sessions.length, ended, packetsSent }
  } finally {
    await client.close()
  }
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => void systemClock.after(ms, 'life', resolve))
}
