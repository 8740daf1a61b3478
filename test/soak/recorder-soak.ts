// Many short recording sessions at a recorder process, one after another, and what the system says that it holds meanwhile.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { MortalRecorder } from '../harness/mortal-recorder.ts'
import { until } from '../harness/until.ts'
import { isAllPublished, manifestsIn } from '../kill/kept-packets.ts'
import { KillClient } from '../kill/kill-client.ts'

const PATIENCE_MS = 60_000

/** What a process holds, by /proc. */
export interface Holding {
  readonly sessions: number
  readonly descriptors: number
  readonly sockets: number
  readonly threads: number
  readonly rssMib: number
}

/** How a soak goes. */
export interface RecorderSoakOptions {
  readonly sessions: number
  readonly atATime: number
  /** So often what is held is looked at, when no session is up. */
  readonly rounds: number
}

/** What came of it. */
export interface RecorderSoakResult {
  readonly holdings: readonly Holding[]
  /** Recordings that were published with audio. */
  readonly published: number
  readonly refused: number
}

/** Begins sessions, lets each send a few packets, ends them; a recorder process is looked at after each round. */
export async function soakRecorder(
  recorder: MortalRecorder,
  { sessions, atATime, rounds }: RecorderSoakOptions,
): Promise<RecorderSoakResult> {
  const client = await KillClient.open(recorder.sipPort('udp'))
  const holdings: Holding[] = []
  try {
    let ended = 0
    for (let round = 1; round <= rounds; round += 1) {
      while (ended < (sessions * round) / rounds) {
        const { refused } = client
        for (let n = 0; n < atATime; n += 1) client.begin()
        await until(
          'the sessions send',
          () =>
            client.live.length + client.refused - refused >= atATime &&
            client.live.every(({ streams }) => streams.every(({ sentAtMs }) => sentAtMs.length >= 5)),
          PATIENCE_MS,
        )
        const live = client.live
        await Promise.all(live.map((session) => client.end(session)))
        ended += live.length
      }
      await until('all are published', () => isAllPublished(recorder.store), PATIENCE_MS)
      // Released ports rest for a second.
      await until(
        'their sockets are closed',
        () => holdingOf(recorder.pid, ended).sockets <= (holdings[0]?.sockets ?? 64),
      )
      holdings.push(holdingOf(recorder.pid, ended))
    }
    const kept = await manifestsIn(recorder.store)
    const published = kept.filter(({ manifest }) => manifest.state === 'published').length
    return { holdings, published, refused: client.refused }
  } finally {
    await client.close()
  }
}

function holdingOf(pid: number, sessions: number): Holding {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const number = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1])
  const open = readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`))
  return {
    sessions,
    descriptors: open.length,
    sockets: open.filter((name) => name.startsWith('socket:')).length,
    threads: number('Threads'),
    rssMib: Math.round(number('VmRSS') / 1024),
  }
}

/** Where a descriptor leads; empty if it has been closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
