// `npm run screenshots`: every view of the console, in both themes at two widths, over the real program with a real call.

import { tone } from '#audio'
import { silentLogger } from '#kernel'
import { cryptoIds, systemClock } from '#net'
import type { CallView } from '../../src/control/contract.ts'
import type { TraceView } from '../../src/control/trace-contract.ts'
import { type Photographed, photograph } from '../harness/console-views.ts'
import { openTestProgram } from '../harness/open-program.ts'
import { recordSession } from '../harness/recorded-session.ts'
import { Softphone } from '../harness/softphone.ts'
import { until } from '../harness/until.ts'

const folder = process.argv[2] ?? 'demo-output/screens'
const HOST = '127.0.0.1'
const RECORDED_MS = 2_000
const TALK_MS = 60_000
const SAMPLED_MS = 30_000

const flow = `
name: support
nodes:
  - { type: answer }
  - { type: callRecording, activity: start, callRecordingServer: '{{ input.recorders }}', callRecordingId: order-7, wait: true }
  - { type: wait, ms: 60000 }
`

const around = { clock: systemClock, ids: cryptoIds, log: silentLogger }
const recorders = await openTestProgram({ gateway: false, recorder: true })
const gateway = await openTestProgram({
  flow,
  gateway: { recording: { recorders: [recorders.recorderUri('tcp')] } },
})
const phones = await Promise.all(
  ['alice', 'bob'].map((user) => Softphone.open({ host: HOST, transport: 'udp', user, ...around })),
)
try {
  const calls = await Promise.all(
    phones.map((phone) =>
      phone.call(`sip:flow@${HOST}:${gateway.port('gateway', 'udp')}`, { audio: tone(440, TALK_MS) }),
    ),
  )
  const live = async (): Promise<readonly CallView[]> => {
    const { items } = (await (await fetch(`${gateway.httpUrl}/api/calls`)).json()) as { items: CallView[] }
    return items
  }
  await until('both calls are recorded', async () =>
    (await live()).every(({ recording }) => recording?.state === 'recording'),
  )
  const [first] = await live()
  await fetch(`${gateway.httpUrl}/api/calls/${first?.callId}/recording`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ activity: 'pause' }),
  })
  await until(
    'quality was sampled twice',
    async () => {
      const trace = (await (await fetch(`${gateway.httpUrl}/api/calls/${first?.callId}/trace`)).json()) as TraceView
      return trace.media.length > 1
    },
    SAMPLED_MS,
  )
  await recordSession(recorders, RECORDED_MS)
  let recordingId: string | undefined
  await until('a recording can be heard', async () => {
    const { items } = (await (await fetch(`${recorders.httpUrl}/api/recordings?state=published`)).json()) as {
      items: { recordingId: string }[]
    }
    recordingId = items[0]?.recordingId
    return recordingId !== undefined
  })
  const views: Photographed[] = [
    {
      name: 'live',
      url: `${gateway.httpUrl}/#/live`,
      ready: (page) => page.locator('.state[data-state=paused]').waitFor(),
    },
    {
      name: 'call',
      url: `${gateway.httpUrl}/#/calls/${first?.callId}`,
      ready: async (page) => {
        await page.locator('.chart canvas').first().waitFor()
        await page.locator('.ladder-row').first().click()
      },
    },
    {
      name: 'calls',
      url: `${gateway.httpUrl}/#/calls`,
      ready: (page) => page.getByText('under way').first().waitFor(),
    },
    {
      name: 'recordings',
      url: `${recorders.httpUrl}/#/recordings`,
      ready: (page) => page.getByText('recording now').first().waitFor(),
    },
    {
      name: 'recording',
      url: `${recorders.httpUrl}/#/recordings/${recordingId}?at=0.1`,
      ready: (page) => page.locator('.waves [data-mark]').first().waitFor({ state: 'attached' }),
    },
  ]
  for (const file of await photograph(views, folder)) console.log(file)
  await Promise.all(calls.map((call) => call.hangup()))
} finally {
  await Promise.all(phones.map((phone) => phone.close()))
  await gateway.close()
  await recorders.close()
}
