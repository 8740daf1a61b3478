import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '#kernel'
import { CallBench } from '../../test/harness/call-bench.ts'
import { noPorts } from '../../test/harness/fake-engine.ts'
import { phoneSdp } from '../../test/harness/test-phone.ts'
import { CallQuotas } from './call-quotas.ts'

const alice = { name: 'alice-trunk', sources: ['10.0.0.2'], account: 'shop' }

function called(bench: CallBench, headers: readonly (readonly [string, string])[] = []) {
  return bench.alice.call(bench.uri('bob'), { body: phoneSdp(), headers })
}

test('an account over its limit is answered 503 in the words of jambonz, with account and limit', async () => {
  const bench = new CallBench({ accounts: [{ name: 'shop', activeCalls: 1 }], trunks: [alice] })
  called(bench)
  await bench.pass()
  const second = called(bench)
  await bench.pass()
  const answer = second.failed?.response?.headers
  assert.deepEqual([second.failed?.status, second.failed?.reason], [503, 'Max Account Calls In Progress'])
  assert.deepEqual([answer?.get('X-Account-Sid'), answer?.get('X-Call-Limit')], ['shop', '1'])
  assert.equal(answer?.get('X-Reason'), 'Max Account Calls In Progress')
  const other = bench.carol.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  assert.equal(other.failed, undefined, 'calls of nobody in particular are not held against the account')
})

test('a trunk over its limit is answered 503, whatever its account may', async () => {
  const trunks = [{ ...alice, activeCalls: 1 }]
  const bench = new CallBench({ accounts: [{ name: 'shop', activeCalls: 5 }], trunks })
  called(bench)
  await bench.pass()
  const second = called(bench)
  await bench.pass()
  assert.deepEqual([second.failed?.status, second.failed?.reason], [503, 'Maximum Calls In Progress'])
  assert.ok(bench.log.messages().includes('quota of calls reached'))
})

test('an account with a limit of 0 has no subscription', async () => {
  const bench = new CallBench({ accounts: [{ name: 'shop', activeCalls: 0 }], trunks: [alice] })
  const phone = called(bench)
  await bench.pass()
  assert.deepEqual([phone.failed?.status, phone.failed?.reason], [503, 'No Active Subscription'])
  await bench.checkNothingLeft()
})

test('a trunk may name the account of each call, and only one that is listed', async () => {
  const accounts = [
    { name: 'shop', activeCalls: 5 },
    { name: 'bank', activeCalls: 1 },
  ]
  const bench = new CallBench({ accounts, trunks: [{ ...alice, accountHeader: 'X-Account-Sid' }] })
  called(bench, [['X-Account-Sid', 'bank']])
  await bench.pass()
  const second = called(bench, [['X-Account-Sid', 'bank']])
  const unlisted = called(bench, [['X-Account-Sid', 'nobody']])
  await bench.pass()
  assert.equal(second.failed?.response?.headers.get('X-Account-Sid'), 'bank')
  assert.equal(unlisted.failed, undefined, 'counts for the account of the trunk')
})

test('a place is free again however a call ends: cancelled, refused by the callee, or without ports', async () => {
  const bench = new CallBench({ accounts: [{ name: 'shop', activeCalls: 1 }], trunks: [alice] })
  for (let round = 0; round < 3; round++) {
    const cancelled = called(bench)
    await bench.pass()
    cancelled.invite?.cancel()
    await bench.pass()
    const refused = called(bench)
    await bench.pass()
    bench.bob.incoming.at(-1)?.incoming?.reject(486)
    await bench.pass()
    assert.equal(refused.failed?.status, 486)
    bench.engine.onCommand = (command) => {
      if (command.name === 'addLeg') throw noPorts()
    }
    const portless = called(bench)
    await bench.pass()
    assert.equal(portless.failed?.reason, 'Service Unavailable')
    bench.engine.onCommand = undefined
  }
  await bench.checkNothingLeft()
})

test('a trunk of an account that is not listed, and sources that are no network, are refused', () => {
  const isBad = (error: unknown) => error instanceof AppError && error.code === 'call.bad-quota'
  assert.throws(() => new CallQuotas({ activeCalls: 1, trunks: [alice] }), isBad)
  assert.throws(() => new CallQuotas({ activeCalls: 1, trunks: [{ name: 'x', sources: ['carrier'] }] }), isBad)
})
