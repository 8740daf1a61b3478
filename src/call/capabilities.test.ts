import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutPrivateIdentities } from '#call'
import { SipHeaders } from '#sip'
import { CallBench } from '../../test/harness/call-bench.ts'
import { phoneSdp } from '../../test/harness/test-phone.ts'
import { capabilitiesOf } from './capabilities.ts'

function told(contact: string): string[] {
  return capabilitiesOf(SipHeaders.of([['Contact', contact]])).map(({ name, value }) => `${name}=${value}`)
}

test('META-22: features of a Contact are its base tags and those with +, unquoted, and true without a value', () => {
  const contact =
    '"Desk" <sip:alice@10.0.0.2;class=uri>;isfocus;Class="business";+sip.rendering="no";description="<Alice\'s \\"desk\\" & office>";video="FALSE"'
  assert.deepEqual(told(contact), [
    'isfocus=true',
    'class=business',
    'sip.rendering=no',
    'description=Alice\'s "desk" & office',
    'video=false',
  ])
})

test('META-22: what is no feature is not told: lifetimes, the name of the device, a Contact that cannot be read', () => {
  assert.deepEqual(told('<sip:a@b>;q=0.5;expires=60;+sip.instance="<urn:uuid:1>";reg-id=1;audio'), ['audio=true'])
  assert.deepEqual(told('<sip:a@b'), [])
  assert.deepEqual(told('*'), [])
  assert.equal(told(`<sip:a@b>${Array.from({ length: 100 }, (_, n) => `;+t${n}`).join('')}`).length, 32)
  assert.deepEqual(told(`<sip:a@b>;description="${'x'.repeat(300)}"`), [])
})

test('META-22: a call knows what each party can, and that one has become the focus of a conference', async () => {
  const bench = new CallBench({ alice: { contactParams: 'audio;mobility="mobile"' } })
  const receive = bench.core.receive.bind(bench.core)
  let more = ''
  bench.core.receive = (bytes, flow) => {
    const text = new TextDecoder().decode(bytes)
    receive(new TextEncoder().encode(more === '' ? text : text.replace(/^(Contact: <[^>]*>).*$/m, `$1${more}`)), flow)
  }
  const alice = bench.alice.call(bench.uri('bob'), { body: phoneSdp(), headers: [['Privacy', 'id']] })
  await bench.pass()
  const bob = bench.bob.incoming[0]!
  bob.accept(phoneSdp())
  await bench.pass()
  const call = bench.service.calls()[0]!
  const known = () => call.snapshot().parties.map(({ capabilities = [] }) => capabilities.map(({ name }) => name))
  assert.deepEqual(known(), [['audio', 'mobility'], []])
  const events: string[] = []
  call.onEvent(({ type }) => events.push(type))
  more = ';isfocus'
  for (let turn = 0; turn < 2; turn++) {
    void bob.dialog?.reinvite({ body: phoneSdp() })
    await bench.pass()
  }
  assert.deepEqual(known(), [['audio', 'mobility'], ['isfocus']])
  assert.deepEqual(events, ['capabilities-changed'])
  assert.deepEqual(withoutPrivateIdentities(call.snapshot()).parties[0]?.capabilities, undefined)
  void alice.dialog?.bye()
  await bench.checkNothingLeft()
})
