import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type SlotInput, SlotMachine } from './slot-machine.ts'

const lost: SlotInput = { type: 'lost', comeback: 'again', carriedMs: 0 }

/** What a slot does, in short: `open 1`, `wait 1000`, `over`. */
function run(machine: SlotMachine, ...inputs: readonly SlotInput[]): string[] {
  return inputs.flatMap((input) =>
    machine.handle(input).map((output) => {
      if (output.type === 'open') return `open ${output.candidate}`
      return output.type === 'over' ? 'over' : `${output.type} ${output.afterMs}`
    }),
  )
}

const [begin, refused, accepted, due] = (['begin', 'refused', 'accepted', 'due'] as const).map(
  (type): SlotInput => ({ type }),
) as [SlotInput, SlotInput, SlotInput, SlotInput]

test('SRC-60: a start asks everyone once, in order, and is over when all have refused', () => {
  assert.deepEqual(run(new SlotMachine(3, false), begin, refused, refused, refused), [
    'open 0',
    'open 1',
    'open 2',
    'over',
  ])
})

test('SRC-63: after a loss the others come first, the lost one last, then the back-off grows', () => {
  const machine = new SlotMachine(3, false)
  assert.deepEqual(run(machine, begin, refused, accepted, lost), ['open 0', 'open 1', 'open 2'])
  assert.deepEqual(run(machine, refused, refused, refused), ['open 0', 'open 1', 'wait 1000'])
  assert.deepEqual(run(machine, due), ['open 2'])
})

test('SRC-63: one recorder is asked again at once, then after 1, 2, 5 and 10 s, then no more', () => {
  const machine = new SlotMachine(1, false)
  const tries = run(machine, begin, accepted, lost, refused, due, refused, due, refused, due, refused, due, refused)
  const wanted = ['open 0', 'open 0', 'wait 1000', 'open 0', 'wait 2000', 'open 0', 'wait 5000', 'open 0']
  assert.deepEqual(tries, [...wanted, 'wait 10000', 'open 0', 'over'])
})

test('a recorder that accepts and leaves at once is not invited endlessly', () => {
  const machine = new SlotMachine(1, false)
  const tries = run(machine, begin, accepted, ...Array.from({ length: 20 }, () => [lost, due, accepted]).flat())
  assert.equal(tries.filter((output) => output === 'open 0').length, 6)
  assert.equal(machine.state, 'over')
})

test('SRC-63: after three sessions that did not last the next has to last before it counts', () => {
  const machine = new SlotMachine(1, true)
  run(machine, begin, accepted, lost, accepted, lost, due, accepted, lost, due)
  assert.equal(machine.isUnsteady, true)
  assert.deepEqual(run(machine, accepted), ['prove 10000'])
  assert.equal(machine.state, 'proving')
  assert.deepEqual(run(machine, lost), ['wait 5000'])
  run(machine, due, accepted, { type: 'proved' })
  assert.deepEqual([machine.state, machine.isUnsteady], ['carried', false])
})

test('a recorder that stayed a minute has earned all tries again', () => {
  const machine = new SlotMachine(1, false)
  run(machine, begin, accepted, lost, accepted)
  assert.deepEqual(run(machine, { ...lost, carriedMs: 60_000 } as SlotInput), ['open 0'])
})

test('SRC-64: a recorder that wants no more ends its slot, others or not', () => {
  const machine = new SlotMachine(2, false)
  assert.deepEqual(run(machine, begin, accepted, { ...lost, comeback: 'never' } as SlotInput), ['open 0', 'over'])
})

test('SRC-64: a recorder that cannot go on is not asked again, others are', () => {
  const machine = new SlotMachine(2, false)
  run(machine, begin, accepted, { ...lost, comeback: 'elsewhere' } as SlotInput)
  assert.deepEqual(run(machine, refused, due), ['wait 1000', 'open 1'])
})

test('a persistent slot goes on asking, every 10 s in the end', () => {
  const machine = new SlotMachine(1, true)
  const tries = run(machine, begin, ...Array.from({ length: 8 }, () => [refused, due]).flat())
  assert.deepEqual(tries.filter((output) => output.startsWith('wait')).slice(0, 5), [
    'wait 1000',
    'wait 2000',
    'wait 5000',
    'wait 10000',
    'wait 10000',
  ])
  assert.equal(machine.state, 'trying')
})

test('nothing moves a slot that is over', () => {
  const machine = new SlotMachine(2, true)
  run(machine, begin, { type: 'end' })
  assert.deepEqual(run(machine, refused, accepted, lost, due, begin, { type: 'end' }), [])
})
