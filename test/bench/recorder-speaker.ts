// Load generator process of the recorder bench: recording sessions by SIP, marked RTP on all of them, and the judgement of what was kept.

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '#net'
import { judge, manifestsIn } from '../kill/kept-packets.ts'
import { KillClient } from '../kill/kill-client.ts'
import type { SpeakerCommand, SpeakerReply } from './recorder-load.ts'
import { percentile } from './report.ts'

const SLICES = 20
const PUBLISH_WITHIN_MS = 60_000
const LOOK_MS = 300

let client: KillClient | undefined
let answersMs: number[] = []

/** Begins sessions one after another, each when the one before was answered, and leaves them sending. */
async function begin({ recorderPort, sessions }: SpeakerCommand & { type: 'begin' }): Promise<SpeakerReply> {
  client = await KillClient.open(recorderPort, SLICES)
  answersMs = []
  for (let begun = 0; begun < sessions; begun++) {
    const startedMs = systemClock.nowMs()
    const opened = client
    await new Promise<void>((resolve) => opened.begin(resolve))
    answersMs.push(systemClock.nowMs() - startedMs)
  }
  return { type: 'begun', answerP99Ms: percentile(answersMs, 0.99), sent: sentSoFar() }
}

function sentSoFar(): number {
  return (
    client?.sessions.reduce((sum, { streams }) => sum + streams.reduce((n, one) => n + one.sentAtMs.length, 0), 0) ?? 0
  )
}

/** Ends the sessions, waits until all is published, and looks into the files. */
async function end({ store }: SpeakerCommand & { type: 'end' }): Promise<SpeakerReply> {
  const over = client
  if (over === undefined) throw new Error('there are no sessions')
  const sent = sentSoFar()
  await Promise.all(over.live.map((session) => over.end(session)))
  const deadlineMs = systemClock.nowMs() + PUBLISH_WITHIN_MS
  let kept = new Map<string, Awaited<ReturnType<typeof manifestsIn>>[number]>()
  while ([...kept.values()].filter(({ isOpen }) => !isOpen).length < over.sessions.length) {
    if (systemClock.nowMs() > deadlineMs) throw new Error('recordings were not published in time')
    await new Promise<void>((resolve) => void systemClock.after(LOOK_MS, 'look', resolve))
    kept = new Map((await manifestsIn(store)).map((one) => [one.manifest.facts.sip.callId, one]))
  }
  const faults: string[] = []
  let bytes = 0
  for (const session of over.sessions) {
    const own = kept.get(session.callId)
    faults.push(...(await judge(session, own === undefined ? [] : [own], [])).faults)
    if (own !== undefined) bytes += await sizeOf(own.folder)
  }
  await over.close()
  return { type: 'ended', sent, refused: over.refused, faults: faults.length, fault: faults[0] ?? '', bytes }
}

async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true })
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

process.on('message', (command: SpeakerCommand) => {
  const doing: Promise<SpeakerReply> =
    command.type === 'begin'
      ? begin(command)
      : command.type === 'end'
        ? end(command)
        : Promise.resolve({ type: 'counted', sent: sentSoFar() })
  doing.then(
    (reply) => process.send?.(reply),
    (fault: unknown) => {
      throw fault
    },
  )
})
process.on('disconnect', () => process.exit(0))
