// Recording sessions that tell of one and the same communication session, as a client opens them in parallel or after a failure.

import assert from 'node:assert/strict'
import type { LogicalRecordingView } from '../../src/control/recordings/logical-recording-contract.ts'
import { ForeignClient } from '../foreign/foreign-client.ts'
import { tone } from '../foreign/g711-tones.ts'
import { CallStory } from '../foreign/metadata-documents.ts'
import type { TestProgram } from './open-program.ts'
import { until } from './until.ts'

const WORDS_MS = 200

/** A call, by the ids and the document that all its recording sessions have. */
export interface ToldCall {
  readonly sessionId: string
  readonly groupId: string
  readonly xml: string
}

/** Makes one; its session id has every character that a path may not have. */
export function toldCall(): ToldCall {
  const story = new CallStory(['96', '98'])
  const sessionId = '//++AAAAQACAAAAAAAAAAA=='
  const xml = (story.document('rfc8068') ?? '').replaceAll(story.sessionId, sessionId)
  return { sessionId, groupId: story.groupId, xml }
}

/** Opens a recording session of the call and lets both parties say something; it is still up. */
export async function openTake(recorder: TestProgram, { xml }: ToldCall): Promise<ForeignClient> {
  const address = { host: '127.0.0.1', port: recorder.port('recorder', 'tcp') }
  const client = await ForeignClient.open({ transport: 'tcp', recorder: address, deadlineMs: 10_000 })
  assert.equal((await client.invite({ metadata: { xml } })).status, 200)
  await Promise.all([client.sendAudio(0, tone(400, WORDS_MS)), client.sendAudio(1, tone(1000, WORDS_MS))])
  await until('the recorder has heard it', async () => (await heardCalls(recorder)).includes(client.callId))
  return client
}

/** Call-IDs of the recording sessions under way of which every stream has brought packets. */
export async function heardCalls({ httpUrl }: TestProgram): Promise<string[]> {
  const { items } = (await (await fetch(`${httpUrl}/api/recorder/sessions`)).json()) as {
    items: { callId: string; streams: { packets: number }[] }[]
  }
  return items.filter(({ streams }) => streams.every(({ packets }) => packets > 0)).map(({ callId }) => callId)
}

/** Ends it as its client. */
export async function endTake(client: ForeignClient): Promise<void> {
  assert.equal((await client.bye()).status, 200)
  client.close()
}

/** Records a call in three parts, two of them in parallel after a gap; gives the recording of the second. */
export async function recordInParts(recorder: TestProgram): Promise<string> {
  const call = toldCall()
  await endTake(await openTake(recorder, call))
  const parallel = [await openTake(recorder, call), await openTake(recorder, call)]
  for (const client of parallel) await endTake(client)
  const url = `${recorder.httpUrl}/api/communication-sessions/${encodeURIComponent(call.sessionId)}`
  let takes: LogicalRecordingView['takes'] = []
  await until('all parts are published', async () => {
    takes = ((await (await fetch(url)).json()) as LogicalRecordingView).takes
    return takes.length === 3 && takes.every(({ state }) => state === 'published')
  })
  return takes[1]!.recordingId
}
