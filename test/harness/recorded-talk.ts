// A whole recorded call on real sockets: start, pause, resume, stop, with a tone on each side; files and ports are kept for others to judge.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { type KeptRecording, keptRecording } from './kept-recording.ts'
import type { TestProgram } from './open-program.ts'
import { openPhone, openTestGateway, placeTalk } from './talk.ts'
import { until } from './until.ts'

const PART_MS = 1200
const SAMPLES_PER_MS = 8

/** Opens two phones, a gateway and a recorder; `transport` is what the recording session speaks. */
export interface RecordedTalk {
  readonly opened: TestProgram
  /** Makes the call from its INVITE to its end and resolves with what the recorder kept. */
  play(transport: 'udp' | 'tcp'): Promise<KeptRecording>
}

/** Opens what a recorded call needs; `recorderStore` is what the recorder's store is told besides. */
export async function openRecordedTalk(t: TestContext, recorderStore: object = {}): Promise<RecordedTalk> {
  const [alice, bob] = [await openPhone(t, 'alice', 'tcp'), await openPhone(t, 'bob', 'udp')]
  const opened = await openTestGateway(t, {
    gateway: { routes: [{ match: 'bob', callee: bob.uri }] },
    recorder: true,
    recorderStore: { ...recorderStore },
  })
  const play = async (transport: 'udp' | 'tcp'): Promise<KeptRecording> => {
    const talk = await placeTalk(opened, alice, bob)
    const hearFor = async (ms: number): Promise<void> => {
      const from = talk.caller.heard().length
      await until('the talk goes on', () => talk.caller.heard().length >= from + ms * SAMPLES_PER_MS)
    }
    assert.equal((await talk.rest('start', opened.recorderUri(transport), 'judged')).status, 200)
    await hearFor(PART_MS)
    assert.equal((await talk.rest('pause')).status, 200)
    await hearFor(PART_MS)
    assert.equal((await talk.rest('resume')).status, 200)
    await hearFor(PART_MS)
    assert.equal((await talk.rest('stop')).status, 200)
    const kept = await keptRecording(opened.store)
    await talk.end()
    return kept
  }
  return { opened, play }
}
