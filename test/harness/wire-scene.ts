// A whole recorder and clients that word each message themselves, with the API that shows what the recorder made of them.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { answerOf, WireClient, type WireOptions } from '../foreign/wire-client.ts'
import { type DescribedApi, describedApi } from './described-api.ts'
import { type KeptRecording, keptRecording } from './kept-recording.ts'
import { openTestProgram, type ProgramOptions, type TestProgram } from './open-program.ts'
import { until } from './until.ts'

const HOST = '127.0.0.1'

/** A recorder and how to reach it. */
export interface WireScene {
  readonly recorder: TestProgram
  readonly api: DescribedApi
  /** A client on sockets of its own. */
  client(options?: Partial<WireOptions>): Promise<WireClient>
  /** The one recording, once its session has ended. */
  kept(): Promise<KeptRecording>
  /** Ends a session, once so many packets have come lest BYE overtake them, and gives what was kept of it. */
  end(client: WireClient, packets?: number): Promise<KeptRecording>
}

/** Opens a recorder for a test. */
export async function openWireScene(t: TestContext, options: Omit<ProgramOptions, 'gateway'> = {}): Promise<WireScene> {
  const recorder = await openTestProgram({ ...options, gateway: false, recorder: true })
  t.after(() => recorder.close())
  const api = await describedApi(recorder.httpUrl)
  return {
    recorder,
    api,
    client: async (wanted = {}) => {
      const transport = wanted.transport ?? 'tcp'
      const address = { host: HOST, port: recorder.port('recorder', transport) }
      const client = await WireClient.open({ transport, recorder: address, ...wanted })
      t.after(() => client.close())
      return client
    },
    kept: () => keptRecording(recorder.store),
    end: async (client, packets = 0) => {
      await until(`${packets} packets have come`, async () => {
        const sessions = (await recorder.program.recorder?.server.sessions()) ?? []
        const own = sessions.filter(({ facts }) => facts.sip.callId === client.dialog.callId)
        const counts = own.flatMap(({ streams }) => streams.map(({ totals }) => totals?.packets ?? 0))
        return counts.reduce((sum, count) => sum + count, 0) >= packets
      })
      assert.equal((await client.request('BYE')).status, 200)
      return await keptRecording(recorder.store)
    },
  }
}

/** What an answer says of each m-line. */
export function directionsOf(message: Parameters<typeof answerOf>[0]): string[] {
  return answerOf(message)?.media.map(({ port, direction }) => (port === 0 ? 'removed' : direction)) ?? []
}

/** The version of a description, from its o= line. */
export function versionOf(message: Parameters<typeof answerOf>[0]): number {
  return Number(answerOf(message)?.origin[2])
}
