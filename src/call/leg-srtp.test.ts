// SRTP of call legs in SDP: what is answered, what callees are offered, and how the call's protection is told.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SrtpKeys } from '#engine'
import { cryptosOf, parseSdp, type SdpCrypto, type SdpMedia } from '#sdp'
import { CallBench } from '../../test/harness/call-bench.ts'
import { bodyText, type PhoneMedia, phoneSdp } from '../../test/harness/test-phone.ts'

const SUITE = 'AES_CM_128_HMAC_SHA1_80'
const KEY_A = `${'A'.repeat(39)}B`
const KEY_B = `${'B'.repeat(39)}A`
const secured = (more: PhoneMedia = {}): PhoneMedia => ({
  protocol: 'RTP/SAVP',
  crypto: [`1 F8_128_HMAC_SHA1_80 inline:${KEY_A}`, `4 ${SUITE} inline:${KEY_A}|2^31`],
  ...more,
})

function audioOf(sdp: string): SdpMedia {
  const parsed = parseSdp(sdp)
  assert.ok(parsed.ok)
  return parsed.value.media[0]!
}

function onlyCrypto(sdp: string): SdpCrypto {
  const cryptos = cryptosOf(audioOf(sdp))
  assert.equal(cryptos.length, 1)
  return cryptos[0]!
}

const text = (material: Uint8Array): string => Buffer.from(material).toString('base64')

function keysOf(bench: CallBench, leg: string): SrtpKeys | undefined {
  return bench.engine.opened[0]?.legs.get(leg)?.media?.srtp
}

test('SEC-09: a caller’s SAVP offer is answered with its tag, its suite and a key of ours; the callee is called likewise', async () => {
  const bench = new CallBench()
  const call = bench.alice.call('sip:bob@10.0.0.1', { body: phoneSdp(secured()) })
  await bench.pass()
  const [callee] = bench.bob.incoming
  const offer = bodyText(callee?.incoming?.request)
  assert.equal(audioOf(offer).protocol, 'RTP/SAVP')
  assert.equal(cryptosOf(audioOf(offer)).length, 4)
  callee?.accept(phoneSdp({ protocol: 'RTP/SAVP', crypto: [`3 ${SUITE} inline:${KEY_B}`] }))
  await bench.pass()
  const answer = bodyText(call.accepted)
  const ours = onlyCrypto(answer)
  assert.deepEqual([audioOf(answer).protocol, ours.tag, ours.suite], ['RTP/SAVP', 4, SUITE])
  assert.deepEqual(
    [keysOf(bench, 'caller')?.send.material, text(keysOf(bench, 'caller')!.receive.material)],
    [ours.material, KEY_A],
  )
  assert.equal(text(keysOf(bench, 'callee-1')!.receive.material), KEY_B)
  const all = [ours.material, keysOf(bench, 'callee-1')!.send.material].map(text)
  assert.equal(new Set([...all, KEY_A, KEY_B]).size, 4, 'SEC-10: four directions, four keys')
  assert.deepEqual(bench.service.calls()[0]?.snapshot().protection, { signalling: 'none', media: SUITE })
  call.dialog?.bye()
  await bench.checkNothingLeft()
})

test('SEC-11: a hold repeats the key, a new port brings a new one', async () => {
  const bench = new CallBench({ srtp: { callees: 'plain' } })
  const call = bench.alice.call('sip:bob@10.0.0.1', { body: phoneSdp(secured()) })
  await bench.pass()
  assert.equal(audioOf(bodyText(bench.bob.incoming[0]?.incoming?.request)).protocol, 'RTP/AVP')
  bench.bob.incoming[0]?.accept()
  await bench.pass()
  const first = onlyCrypto(bodyText(call.accepted))
  const reoffer = async (media: PhoneMedia): Promise<SdpCrypto> => {
    const outcome = call.dialog?.reinvite({ body: phoneSdp(secured(media)) })
    await bench.pass()
    return onlyCrypto(bodyText((await outcome)?.response))
  }
  assert.deepEqual(await reoffer({ direction: 'sendonly' }), first)
  const moved = await reoffer({ port: 4100 })
  assert.notDeepEqual(moved.material, first.material)
  assert.deepEqual(keysOf(bench, 'caller')?.send.material, moved.material)
  assert.deepEqual(bench.service.calls()[0]?.snapshot().protection, { signalling: 'none', media: 'none' })
  call.dialog?.bye()
  await bench.checkNothingLeft()
})

for (const [why, options, media] of [
  ['over signalling that anybody reads (SEC-12)', { srtp: { keysWithoutTls: false } }, secured()],
  ['where SRTP is off', { srtp: { suites: [] } }, secured()],
  ['without keys', {}, secured({ crypto: [] })],
  ['with keys that we cannot use', {}, secured({ crypto: [`1 ${SUITE} inline:${KEY_A}|2^31|1:4`] })],
  ['with keys from DTLS', {}, secured({ protocol: 'UDP/TLS/RTP/SAVP' })],
] as const) {
  test(`a SAVP offer ${why} is refused with 488`, async () => {
    const bench = new CallBench(options)
    const call = bench.alice.call('sip:bob@10.0.0.1', { body: phoneSdp(media) })
    await bench.pass()
    assert.equal(call.failed?.status, 488)
    await bench.checkNothingLeft()
  })
}

test('SEC-09: a callee that answers SAVP without a usable key ends the dial', async () => {
  for (const crypto of [[], [`9 ${SUITE} inline:${KEY_B}`], [`3 AES_CM_128_HMAC_SHA1_32 inline:${KEY_B}`]]) {
    const bench = new CallBench({ srtp: { callees: 'always' } })
    const call = bench.alice.call('sip:bob@10.0.0.1', { body: phoneSdp() })
    await bench.pass()
    bench.bob.incoming[0]?.accept(phoneSdp({ protocol: 'RTP/SAVP', crypto }))
    await bench.pass()
    assert.equal(call.failed?.status, 488)
    await bench.checkNothingLeft()
  }
})

test('SEC-12: a callee who must be called with SRTP is not called over signalling that anybody reads', async () => {
  const bench = new CallBench({ srtp: { callees: 'always', keysWithoutTls: false } })
  const call = bench.alice.call('sip:bob@10.0.0.1', { body: phoneSdp() })
  await bench.pass()
  assert.equal(bench.bob.incoming.length, 0)
  assert.equal(call.failed?.status, 488)
  await bench.checkNothingLeft()
})

test('RTP-06: the four profiles are answered in kind', async () => {
  for (const protocol of ['RTP/AVP', 'RTP/AVPF', 'RTP/SAVP', 'RTP/SAVPF']) {
    const bench = new CallBench({ srtp: { callees: 'plain' } })
    const body = phoneSdp(protocol.includes('SAVP') ? secured({ protocol }) : { protocol })
    const call = bench.alice.call('sip:bob@10.0.0.1', { body })
    await bench.pass()
    bench.bob.incoming[0]?.accept()
    await bench.pass()
    const answer = audioOf(bodyText(call.accepted))
    assert.equal(answer.protocol, protocol)
    assert.equal(cryptosOf(answer).length, protocol.includes('SAVP') ? 1 : 0)
    call.dialog?.bye()
    await bench.checkNothingLeft()
  }
})

test('SEC-06: the protection of a call is told anew when a party negotiates another one', async () => {
  const bench = new CallBench({ srtp: { callees: 'plain' } })
  const call = bench.alice.call('sip:bob@10.0.0.1', { body: phoneSdp() })
  await bench.pass()
  bench.bob.incoming[0]?.accept()
  await bench.pass()
  const events: string[] = []
  bench.service.calls()[0]?.onEvent(({ type }) => events.push(type))
  for (const [media, told] of [
    [{ direction: 'sendonly' }, ['hold-changed']],
    [{}, ['hold-changed']],
    [secured(), ['protection-changed']],
    [secured(), []],
  ] as const) {
    void call.dialog?.reinvite({ body: phoneSdp(media) })
    await bench.pass()
    assert.deepEqual(events.splice(0), told)
  }
  call.dialog?.bye()
  await bench.checkNothingLeft()
})
