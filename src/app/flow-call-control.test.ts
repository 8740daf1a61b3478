import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '#call'
import { Listeners, ManualClock, settle, silentLogger } from '#kernel'
import { FlowCallControl, type FlowCallControlOptions } from './flow-call-control.ts'

/** A call whose caller presses keys when the test says so. */
function controlled() {
  const digits = new Listeners<string>()
  let endDial: (outcome: { readonly result: 'answered' }) => void = () => {}
  const call = {
    callId: 'call-1',
    ended: false,
    onEnded: () => {},
    onDigit: (listener: (digit: string) => void) => digits.add(listener),
    dial: () =>
      new Promise((resolve) => {
        endDial = resolve
      }),
  } as unknown as Call
  const clock = new ManualClock()
  const control = new FlowCallControl({ call, clock, log: silentLogger } as unknown as FlowCallControlOptions)
  return {
    control,
    clock,
    press: (keys: string) => {
      for (const key of keys) digits.emit(key)
    },
    endDial: () => endDial({ result: 'answered' }),
  }
}

const ANY = { maxDigits: 64, timeoutMs: 1000, interDigitTimeoutMs: 1000, terminators: '#' }

test('keys that are pressed before they are asked for count, so that who knows the menu need not wait', async () => {
  const { control, press } = controlled()
  press('12#')
  assert.deepEqual(await control.collect(ANY), { digits: '12', reason: 'terminator' })
})

test('keys without number are not kept without number', async () => {
  const { control, clock, press } = controlled()
  press('7'.repeat(100_000))
  for (let round = 0; round < 2; round++) {
    const collected = control.collect(ANY)
    await clock.advanceAsync(1000)
    const { digits } = await collected
    assert.ok(digits.length <= 64, `round ${round}: ${digits.length}`)
    if (round === 1) assert.equal(digits, '')
  }
})

test('keys that are pressed in the talk with a callee are for the callee, and for no question after it', async () => {
  const { control, clock, press, endDial } = controlled()
  const dialled = control.dial({ target: 'sip:bob@desk.example', timeoutMs: 1000, until: 'end' })
  press('4111')
  endDial()
  await dialled
  const collected = control.collect(ANY)
  await clock.advanceAsync(1000)
  assert.deepEqual(await collected, { digits: '', reason: 'timeout' })
})

test('what was pressed before a question is forgotten where only its own answer counts', async () => {
  const { control, press } = controlled()
  press('1')
  control.forgetKeys()
  const collected = control.collect({ ...ANY, maxDigits: 1 })
  await settle()
  press('2')
  assert.deepEqual(await collected, { digits: '2', reason: 'length' })
})
