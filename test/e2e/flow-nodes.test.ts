// A call through a flow that asks a server, chooses, speaks, asks for consent and records, with a real phone and a real recorder.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { goertzelPower, interleavePcm16, tone, wavHeader } from '#audio'
import { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import { headerOf } from '../foreign/sip-text.ts'
import type { SoftCall } from '../harness/softphone.ts'
import { openPhone, openTestGateway } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const HOST = '127.0.0.1'
const DEADLINE_MS = 10_000
const QUESTION_HZ = 700
const OTHER_HZ = 1_700

function wav(frequencyHz: number): Buffer {
  const data = interleavePcm16([tone(frequencyHz, 600)])
  return Buffer.concat([wavHeader({ format: 'pcm16', sampleRateHz: 8000, channels: 1, dataBytes: data.length }), data])
}

/** A customer database and a speech service; what was spoken. */
async function openServer(t: TestContext, recorder: string): Promise<{ url: string; spoken: string[] }> {
  const spoken: string[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    if (request.url === '/speech') {
      const { text } = JSON.parse(body) as { text: string }
      spoken.push(text)
      response.end(wav(text.startsWith('May we') ? QUESTION_HZ : OTHER_HZ))
    } else {
      const customer = { name: 'zoe doe', tier: ' gold ', recorder, asked: request.url }
      response.setHeader('content-type', 'application/json').end(JSON.stringify(customer))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve))
  t.after(() => server.closeAllConnections())
  t.after(() => server.close())
  return { url: `http://${HOST}:${(server.address() as AddressInfo).port}`, spoken }
}

const flowOf = (url: string, by: string): string => `name: reception
nodes:
  - type: answer
  - type: httpRequest
    url: '${url}/customers?from={{ encodeURIComponent(input.from.replace(/^sip:/, "")) }}'
    into: context.customer
  - type: switch
    value: '{{ (() => { const { tier } = cc.customer.body; return tier.trim().toUpperCase() })() }}'
    cases:
      - when: GOLD
        nodes:
          - type: consent
            by: ${by}
            text: >-
              May we record you, {{ context.customer.body.name.split(" ").map((part) => part[0].toUpperCase() + part.slice(1)).join(" ") }}?
            callRecordingServer: '{{ context.customer.body.recorder }}'
            callRecordingId: 'consented-{{ context.customer.body.asked.length }}'
    default:
      - {type: hangup}
  - type: if
    condition: '!context.consent.given'
    then: [{type: say, text: 'As you wish'}]
  - {type: log, message: 'consent {{ context.consent.given }} by {{ context.consent.by }}'}
  - {type: wait, ms: 60000}
`

async function callReception(t: TestContext, by: 'digit' | 'announcement' = 'digit') {
  const recorder = await ForeignRecorder.open({})
  t.after(() => recorder.close())
  const { url, spoken } = await openServer(t, recorder.uri())
  const alice = await openPhone(t, 'alice', 'udp')
  const gateway = await openTestGateway(t, {
    flow: flowOf(url, by),
    gateway: {
      destinations: { dial: [HOST], record: ['127.0.0.0/8'], http: [HOST] },
      speech: { url: `${url}/speech`, body: '{"text":"{text}"}' },
    },
  })
  const call = await alice.call(`sip:flow@${HOST}:${gateway.port('gateway', 'udp')}`)
  assert.equal(await call.answered, true)
  const hears = (hz: number) => () => goertzelPower(call.heard().subarray(-2_000), 8000, hz) > 0.5
  await until('the question is heard', hears(QUESTION_HZ))
  const says = () =>
    gateway.log.lines.filter(({ message }) => message === 'flow says').map(({ fields }) => fields['text'])
  return { recorder, spoken, gateway, call, hears, says }
}

test('a flow asks a server, chooses by it, speaks, and records after consent by a key', async (t) => {
  const { recorder, spoken, gateway, call, says } = await callReception(t)
  assert.deepEqual(spoken, ['May we record you, Zoe Doe?'])
  assert.equal(recorder.invites().length, 0, 'nothing is recorded before consent')
  await call.sendDigits('1')
  await recorder.waitFor(() => recorder.rtp(0).length > 5, DEADLINE_MS, 'RTP')
  await until('the flow goes on', () => says().length === 1)
  assert.deepEqual(says(), ['consent true by digit'])
  assert.equal(headerOf(recorder.invites()[0]!, 'X-Recording-Consent'), 'given;by=digit')
  assert.match(recorder.documents()[0] ?? '', /consented-\d+/)
  assert.doesNotMatch(JSON.stringify(gateway.log.lines), /Zoe|As you wish/, 'what is spoken is not logged')
  assert.deepEqual(
    gateway.log.messages().filter((message) => message.includes('failed')),
    [],
  )
  await call.hangup()
})

test('a flow records nothing when consent is refused by a key', async (t) => {
  const { recorder, call, hears, says } = await callReception(t)
  await call.sendDigits('2')
  await until('the other text is heard', hears(OTHER_HZ))
  await until('the flow goes on', () => says().length === 1)
  assert.deepEqual(says(), ['consent false by digit'])
  assert.equal(recorder.invites().length, 0)
  await call.hangup()
})

test('a flow records after consent by announcement, without a key', async (t) => {
  const { recorder, call, hears, says } = await callReception(t, 'announcement')
  await until('the announcement is heard', hears(QUESTION_HZ))
  await recorder.waitFor(() => recorder.rtp(0).length > 5, DEADLINE_MS, 'RTP')
  await until('the flow goes on', () => says().length === 1)
  assert.deepEqual(says(), ['consent true by announcement'])
  assert.equal(headerOf(recorder.invites()[0]!, 'X-Recording-Consent'), 'given;by=announcement')
  await call.hangup()
})

const transferring = (target: string): string => `name: passing-on
nodes:
  - {type: answer}
  - {type: transfer, target: '${target}', into: context.moved}
  - {type: log, message: 'not moved: {{ context.moved.result }} {{ context.moved.sipStatus }}'}
  - {type: wait, ms: 60000}
`

/** A caller whose phone is asked by a flow to call Carol. */
async function callTransfer(t: TestContext) {
  const [alice, carol] = [await openPhone(t, 'alice', 'udp'), await openPhone(t, 'carol', 'udp')]
  const gateway = await openTestGateway(t, { flow: transferring(carol.uri) })
  const call = await alice.call(`sip:flow@${HOST}:${gateway.port('gateway', 'udp')}`)
  assert.equal(await call.answered, true)
  await until('the phone is asked', () => call.referredTo.length > 0)
  assert.deepEqual(call.referredTo, [`<${carol.uri}>`])
  const tell = (status: number, state: string) =>
    call.request('NOTIFY', {
      headers: [
        ['Event', 'refer'],
        ['Subscription-State', state],
      ],
      body: { contentType: 'message/sipfrag', content: Buffer.from(`SIP/2.0 ${status} Told\r\n`) },
    })
  const outcomes = () =>
    gateway.log.lines.filter(({ message }) => message === 'flow transfer done').map(({ fields }) => fields['result'])
  return { alice, carol, gateway, call, tell, outcomes }
}

test('a flow has the phone of the caller call somebody else, and hangs up when that answered, not before', async (t) => {
  const { alice, carol, gateway, call, tell, outcomes } = await callTransfer(t)
  const incoming = new Promise<SoftCall>((resolve) => {
    carol.onIncoming = resolve
  })
  assert.equal((await tell(180, 'active;expires=60')).status, 200)
  const moved = await alice.call(carol.uri)
  const target = await incoming
  assert.deepEqual([outcomes(), gateway.program.gateway?.calls.list().length], [[], 1])
  target.accept()
  assert.equal(await moved.answered, true)
  assert.equal((await tell(200, 'terminated;reason=noresource')).status, 200)
  await call.ended
  assert.deepEqual(outcomes(), ['transferred'])
  await until('the gateway has no call', () => gateway.program.gateway?.calls.list().length === 0)
  await moved.hangup()
})

test('a flow whose transfer failed goes on with the call, and knows why', async (t) => {
  const { gateway, call, tell, outcomes } = await callTransfer(t)
  assert.equal((await tell(486, 'terminated;reason=noresource')).status, 200)
  const says = () =>
    gateway.log.lines.filter(({ message }) => message === 'flow says').map((line) => line.fields['text'])
  await until('the flow goes on', () => says().length > 0)
  assert.deepEqual([outcomes(), says()], [['failed'], ['not moved: failed 486']])
  assert.equal(gateway.program.gateway?.calls.list().length, 1)
  await call.hangup()
})
