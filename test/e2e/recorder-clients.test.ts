// What an operator sees of recording clients over the API of a whole program: refusals, verdicts, invitations, the metric.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryLogger } from '#kernel'
import { cryptoIds, systemClock } from '#net'
import type { InviteDialog } from '#sip'
import type { SipConfig } from '../../src/app/config-schema.ts'
import { openSipRole } from '../../src/app/sip-role.ts'
import { ForeignClient } from '../foreign/foreign-client.ts'
import { keptRecording } from '../harness/kept-recording.ts'
import { openTestProgram, type Section, type TestProgram } from '../harness/open-program.ts'
import { metadata, offer, withMetadata } from '../harness/recording-offer.ts'

const HOST = '127.0.0.1'
const LISTEN = `{"listen":[{"transport":"tcp","host":"${HOST}","port":0}]}`

async function ask(program: TestProgram, path: string, body?: object): Promise<{ status: number; json: Section }> {
  const sent = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const response = await fetch(`${program.httpUrl}${path}`, sent)
  return { status: response.status, json: (await response.json()) as Section }
}

test('a client that is refused by its own address, and one that is not listed at all, stand in /api/refusals with reason and message', async (t) => {
  const recorder = await openTestProgram({
    gateway: false,
    recorder: true,
    recorderKeys: { clients: [{ sources: ['127.0.0.1'], strict: 'refuse', tolerate: ['id-form'] }] },
  })
  t.after(() => recorder.close())
  const address = { host: HOST, port: recorder.port('recorder', 'tcp') }
  const client = await ForeignClient.open({ transport: 'tcp', recorder: address, deadlineMs: 10_000 })
  t.after(() => client.close())
  assert.equal((await client.invite({ labels: [undefined, undefined], metadata: 'none' })).status, 488)
  const { json } = await ask(recorder, '/api/refusals')
  const [refusal] = json['items'] as Section[]
  assert.equal(json['total'], 1)
  assert.deepEqual([refusal?.['status'], refusal?.['reason'], refusal?.['transport']], [488, 'no-label', 'tcp'])
  const whole = await ask(recorder, `/api/refusals/${refusal?.['refusalId']}`)
  assert.match(String(whole.json['message']), /^INVITE sip:recorder@[\s\S]*m=audio/)
  assert.equal((await ask(recorder, '/api/refusals/999')).status, 404)
})

for (const [who, source, expected] of [
  ['is not listed is answered 403 before its body, SDP and XML are read', '192.0.2.0/24', [403, 'not-listed']],
  ['is listed is told what is wrong with the same body', '127.0.0.1', [488, 'no-label']],
] as const) {
  test(`SEC-27: a source that ${who}, and that is seen`, async (t) => {
    const recorder = await openTestProgram({
      gateway: false,
      recorder: true,
      recorderKeys: {
        sources: [source],
        clients: [{ sources: [HOST], strict: 'refuse', tolerate: ['id-form'] }],
      },
    })
    t.after(() => recorder.close())
    const address = { host: HOST, port: recorder.port('recorder', 'tcp') }
    const client = await ForeignClient.open({ transport: 'tcp', recorder: address, deadlineMs: 10_000 })
    t.after(() => client.close())
    const { status } = await client.invite({ labels: [undefined, undefined], metadata: 'none' })
    assert.equal(status, expected[0])
    const { json } = await ask(recorder, '/api/refusals')
    assert.deepEqual(
      (json['items'] as Section[]).map((refusal) => [refusal['status'], refusal['reason']]),
      [expected],
    )
  })
}

test('SRS-15: POST /api/recorder/invitations asks a listed client to be recorded; its verdict and the metric tell what it did', async (t) => {
  const opened = await openTestProgram({ gateway: false, recorder: true, recorderKeys: { invite: [HOST] } })
  t.after(() => opened.close())
  let dialog: InviteDialog | undefined
  const client = await openSipRole(
    {
      name: 'client',
      sip: JSON.parse(LISTEN) as SipConfig,
      contactUser: 'src',
      contactParams: '+sip.src',
      supported: ['siprec'],
      allow: ['INVITE', 'ACK', 'BYE', 'UPDATE'],
      accept: ['application/sdp'],
      admit: () => true,
      handlers: {
        onInvite: (invite) => {
          dialog = invite.accept({ onEnd: () => {} }, { body: withMetadata(offer(), metadata('Bob')) })
        },
      },
    },
    { clock: systemClock, ids: cryptoIds, log: new MemoryLogger(), dnsServers: [] },
  )
  t.after(() => client.close())
  const forbidden = await ask(opened, '/api/recorder/invitations', { target: 'sip:src@192.0.2.1' })
  assert.deepEqual([forbidden.status, forbidden.json['code']], [403, 'target-forbidden'])
  const target = `sip:src@${HOST}:${client.listeners[0]?.port};transport=tcp`
  const { status, json } = await ask(opened, '/api/recorder/invitations', { target })
  assert.equal(status, 201)
  const live = await ask(opened, `/api/recordings/${json['recordingId']}/verdict`)
  assert.equal(live.json['vendor'], 'siprec-gateway')
  await dialog?.bye()
  const { manifest } = await keptRecording(opened.store)
  assert.equal(manifest.recordingId, json['recordingId'])
  const verdict = await ask(opened, `/api/recordings/${json['recordingId']}/verdict`)
  assert.deepEqual(
    (verdict.json['deviations'] as Section[]).map(({ code }) => code),
    manifest.facts.verdict?.deviations.map(({ code }) => code),
  )
  assert.match(String(verdict.json['text']), /^Recording client: siprec-gateway\//)
  const metrics = await (await fetch(`${opened.httpUrl}/metrics`)).text()
  const code = manifest.facts.verdict?.deviations[0]?.code
  assert.ok(metrics.includes(`siprec_gateway_client_deviations_total{code="${code}"} 1`), `${code}`)
})
