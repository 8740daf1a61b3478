import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type SipTrace, sipTrace, stateTrace } from '#kernel'
import { TraceStore } from './trace-store.ts'

function sip(callId: string, firstLine: string, wallMs = 1, core = 'gateway', body = ''): void {
  const bytes = new TextEncoder().encode(`${firstLine}\r\nCall-ID: ${callId}\r\n\r\n${body}`)
  const trace: SipTrace = { core, direction: 'in', transport: 'udp', local: 'a', remote: 'b', wallMs, bytes }
  sipTrace.publish(trace)
}

function storeOf(t: { after(done: () => void): void }, mostLogs = 10, mostBytes = 10_000): TraceStore {
  const store = new TraceStore('gateway', { mostLogs, mostBytes })
  t.after(() => store.close())
  return store
}

test('a dialog is kept from its INVITE on, of one core only, with its states', (t) => {
  const store = storeOf(t)
  sip('x', 'OPTIONS sip:a SIP/2.0')
  sip('y', 'INVITE sip:a SIP/2.0', 1, 'recorder')
  sip('z', 'INVITE sip:a SIP/2.0')
  sip('z', 'SIP/2.0 200 OK')
  stateTrace.publish({ machine: 'dialog', id: 'z', from: 'early', to: 'confirmed', wallMs: 2 })
  stateTrace.publish({ machine: 'dialog', id: 'y', from: 'early', to: 'confirmed', wallMs: 2 })
  stateTrace.publish({ machine: 'invite-server', id: 'z', from: 'proceeding', to: 'accepted', wallMs: 2 })
  assert.deepEqual([store.get('x'), store.get('y')], [undefined, undefined])
  assert.deepEqual(
    store.get('z')?.entries.map(({ type }) => type),
    ['sip', 'sip', 'state'],
  )
})

test('bytes and logs stay within bounds: the oldest log goes, and of one log the middle', (t) => {
  const store = storeOf(t, 2, 10_000)
  for (const callId of ['a', 'b', 'c']) sip(callId, 'INVITE sip:a SIP/2.0')
  assert.deepEqual([store.size.logs, store.get('a')], [2, undefined])
  for (let n = 0; n < 300; n += 1) sip('c', `INFO sip:${n} SIP/2.0`, n)
  const log = store.get('c')
  assert.deepEqual([log?.entries.length, log?.leftOut], [200, 101])
  sip('d', 'INVITE sip:a SIP/2.0', 1, 'gateway', 'a'.repeat(9_000))
  assert.equal(store.get('c'), undefined)
  assert.ok(store.size.bytes <= 10_000)
})

test('what nobody wants is forgotten when it has not grown', (t) => {
  const store = storeOf(t)
  sip('old', 'INVITE sip:a SIP/2.0', 1)
  sip('wanted', 'INVITE sip:a SIP/2.0', 1)
  sip('new', 'INVITE sip:a SIP/2.0', 9)
  store.sweep(5, new Set(['wanted']))
  assert.deepEqual(
    ['old', 'wanted', 'new'].map((callId) => store.get(callId) !== undefined),
    [false, true, true],
  )
})
