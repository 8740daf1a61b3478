import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock, type SipTrace, sipTrace } from '#kernel'
import { RefusedInvitations } from './refused-invitations.ts'

const CORE = 'refused-invitations.test'

function tell(direction: SipTrace['direction'], remote: string, ...lines: readonly string[]): void {
  const bytes = new TextEncoder().encode([...lines, '', ''].join('\r\n'))
  const trace: SipTrace = { core: CORE, direction, transport: 'tcp', local: '192.0.2.1:5060', remote, wallMs: 0, bytes }
  sipTrace.publish(trace)
}

test('an INVITE without readable Call-ID or CSeq is listed by the flow that it came from', (t) => {
  const refusals = new RefusedInvitations(CORE, new ManualClock())
  t.after(() => refusals.close())
  tell('in', '192.0.2.2:5060', 'INVITE sip:no-call-id SIP/2.0', 'CSeq: 1 INVITE')
  tell('in', '192.0.2.3:5060', 'INVITE sip:odd-cseq SIP/2.0', 'Call-ID: a', 'CSeq: one INVITE')
  tell('out', '192.0.2.3:5060', 'SIP/2.0 400 Bad CSeq', 'Call-ID: a', 'CSeq: one INVITE')
  tell('out', '192.0.2.2:5060', 'SIP/2.0 400 No Call-ID', 'CSeq: 1 INVITE')
  assert.deepEqual(
    refusals
      .list()
      .map(({ reason, source, message }) => [reason, source, /sip:\S+/.exec(`${Buffer.from(message)}`)?.[0]]),
    [
      ['No Call-ID', '192.0.2.2:5060', 'sip:no-call-id'],
      ['Bad CSeq', '192.0.2.3:5060', 'sip:odd-cseq'],
    ],
  )
})

test('one that nobody answers is not taken for the next message of its flow', (t) => {
  const refusals = new RefusedInvitations(CORE, new ManualClock())
  t.after(() => refusals.close())
  tell('in', '192.0.2.2:5060', 'INVITE sip:unanswered SIP/2.0')
  tell('in', '192.0.2.2:5060', 'OPTIONS sip:no-call-id SIP/2.0')
  tell('out', '192.0.2.2:5060', 'SIP/2.0 400 No Call-ID')
  assert.deepEqual(refusals.list(), [])
})

test('SEC-27: a challenge that the client answers is no refusal; one that it cannot answer is, with its reason', (t) => {
  const refusals = new RefusedInvitations(CORE, new ManualClock())
  t.after(() => refusals.close())
  const source = '192.0.2.2:5060'
  const ask = (callId: string, cseq: number, reason: string): void => {
    tell('in', source, `INVITE sip:${cseq} SIP/2.0`, `Call-ID: ${callId}`, `CSeq: ${cseq} INVITE`)
    if (reason !== '') refusals.explain(callId, reason)
    const status = reason === '' ? '200 OK' : '401 Unauthorized'
    tell('out', source, `SIP/2.0 ${status}`, `Call-ID: ${callId}`, `CSeq: ${cseq} INVITE`)
  }
  ask('knows', 1, 'no-credentials')
  assert.deepEqual(
    refusals.list().map(({ reason }) => reason),
    ['no-credentials'],
  )
  ask('guesses', 1, 'no-credentials')
  ask('guesses', 2, 'wrong-credentials')
  ask('knows', 2, '')
  assert.deepEqual(
    refusals.list().map(({ status, reason }) => [status, reason]),
    [[401, 'wrong-credentials']],
  )
})
