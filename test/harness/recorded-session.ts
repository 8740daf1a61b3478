// A recording session of half a second, for tests of what becomes of recordings.

import assert from 'node:assert/strict'
import { ForeignClient } from '../foreign/foreign-client.ts'
import { tone } from '../foreign/g711-tones.ts'
import type { TestProgram } from './open-program.ts'

/** Records so many milliseconds of two tones at a recorder, then what `more` does; resolves when its BYE is answered. */
export async function recordSession(
  recorder: TestProgram,
  durationMs = 300,
  more?: (client: ForeignClient) => Promise<unknown>,
): Promise<void> {
  const address = { host: '127.0.0.1', port: recorder.port('recorder', 'tcp') }
  const client = await ForeignClient.open({ transport: 'tcp', recorder: address, deadlineMs: 10_000 })
  try {
    assert.equal((await client.invite()).status, 200)
    await Promise.all([client.sendAudio(0, tone(400, durationMs)), client.sendAudio(1, tone(1000, durationMs))])
    await more?.(client)
    assert.equal((await client.bye({ metadata: more === undefined ? 'none' : 'end' })).status, 200)
  } finally {
    client.close()
  }
}
