// What is photographed: a gateway and recorder with calls in every state, one where nothing is, and one where one has to sign in.

import { tone } from '#audio'
import { invariant, silentLogger } from '#kernel'
import { cryptoIds, systemClock } from '#net'
import { hashPassword } from '../../src/control/access/password.ts'
import { openTestProgram, type TestProgram } from '../harness/open-program.ts'
import { recordSession } from '../harness/recorded-session.ts'
import { recordInParts } from '../harness/session-takes.ts'
import { Softphone } from '../harness/softphone.ts'
import { placeTalk, type Talk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const HOST = '127.0.0.1'
const RECORDED_MS = 4_000
const TALK_MS = 600_000
const SAMPLED_MS = 30_000
const CALLER_HZ = 440

/** Who may sign in at the third program. */
export const account = { name: 'anna', password: 'correct horse' } as const

const flow = `
name: reception
description: Greets, asks for a key, and records
nodes:
  - { type: answer }
  - { type: set, path: context.who, value: '{{ input.from }}' }
  - type: if
    condition: 'context.who != ""'
    then:
      - { type: collect, timeoutMs: 600000, maxDigits: 1, into: context.key }
      - type: switch
        value: '{{ context.key.digits }}'
        cases:
          - when: '1'
            nodes:
              - type: callRecording
                activity: start
                callRecordingServer: '{{ input.recorders }}'
                callRecordingId: order-7
                wait: true
          - { when: '2', nodes: [{ type: hangup }] }
  - { type: dial, target: '{{ input.callee }}' }
`

/** The programs, and what is in the first. */
export interface Stage {
  readonly busy: TestProgram
  readonly empty: TestProgram
  readonly closed: TestProgram
  /** A paused call of which there is a trace with several samples. */
  readonly pausedCall: string
  readonly recordingId: string
  /** A recording that is one of several parts of its call. */
  readonly partId: string
  /** Nobody answers there. */
  readonly deadRecorder: string
  close(): Promise<void>
}

const around = { clock: systemClock, ids: cryptoIds, log: silentLogger }

/** Opens the programs and places the calls. */
export async function openStage(): Promise<Stage> {
  const other = await openTestProgram({ gateway: false, recorder: true })
  const phones: Softphone[] = []
  const openPhone = async (user: string): Promise<Softphone> => {
    const phone = await Softphone.open({ host: HOST, transport: 'udp', user, ...around })
    phones.push(phone)
    return phone
  }
  const callees = new Map(
    await Promise.all(['bob', 'dave', 'grace'].map(async (user) => [user, await openPhone(user)] as const)),
  )
  const erin = await openPhone('erin')
  const deadRecorder = 'sip:srs@127.0.0.1:9;transport=tcp'
  const busy = await openTestProgram({
    flow,
    recorder: true,
    gateway: {
      recording: { recorders: [other.recorderUri('tcp')] },
      routes: [...callees].map(([match, { uri: callee }]) => ({ match, callee })),
    },
  })
  const empty = await openTestProgram({ recorder: true })
  const { name, password } = account
  const closed = await openTestProgram({
    recorder: true,
    http: {
      accounts: [{ name, passwordHash: await hashPassword(password), role: 'viewer' }],
      oidc: { issuer: 'https://login.example.com', clientId: 'rec', label: 'Sign in with Example' },
    },
  })
  const talk = async (from: string, to: string, said = tone(CALLER_HZ, TALK_MS)): Promise<Talk> => {
    const callee = callees.get(to)
    invariant(callee !== undefined, 'the phone was opened')
    return await placeTalk(busy, await openPhone(from), callee, said, to)
  }

  const partId = await recordInParts(busy)
  await recordSession(busy, RECORDED_MS)
  const failing = await talk('frank', 'grace')
  await failing.rest('start', deadRecorder)
  const paused = await talk('carol', 'dave')
  await paused.rest('start', `${busy.recorderUri('tcp')},${other.recorderUri('tcp')}`, 'order-7')
  await paused.rest('pause')
  const silent = await talk('alice', 'bob', new Int16Array(8 * TALK_MS))
  await silent.rest('start', busy.recorderUri('tcp'), 'order-8')
  const inFlow = await erin.call(`sip:flow@${HOST}:${busy.port('gateway', 'udp')}`)
  await inFlow.answered

  const read = async <T>(path: string): Promise<T> => (await (await fetch(busy.httpUrl + path)).json()) as T
  const isSampled = async (): Promise<boolean> =>
    (await read<{ media: unknown[] }>(`/api/calls/${paused.callId}/trace`)).media.length > 1
  await until('quality was sampled twice', isSampled, SAMPLED_MS)
  let recordingId = ''
  await until('a recording can be heard', async () => {
    const { items } = await read<{ items: { recordingId: string }[] }>('/api/recordings?state=published')
    recordingId = items[0]?.recordingId ?? ''
    return recordingId !== ''
  })
  const alarms = async () => (await silent.view()).recording?.sessions[0]?.alarms ?? []
  await until('there is an alarm', async () => (await alarms()).length > 0)
  return {
    busy,
    empty,
    closed,
    pausedCall: paused.callId,
    recordingId,
    partId,
    deadRecorder,
    close: async () => {
      for (const phone of phones) await phone.close()
      for (const program of [busy, empty, closed, other]) await program.close()
    },
  }
}
