import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SenderClocks } from './sender-clocks.ts'

const EVERY_MS = 5000
const CNAME = 'client'

/** Notes rounds of reports, one of each source; what is known of each after the last one. */
function noted(
  clocks: SenderClocks,
  rounds: readonly (readonly [source: object, cname: string, transitMs: number])[][],
) {
  let last: (number | undefined)[] = []
  for (const [round, reports] of rounds.entries()) {
    last = reports.map(([source, cname, transitMs], at) => clocks.note(source, cname, transitMs, round * EVERY_MS + at))
  }
  return last
}

function rounds(count: number, ...sources: readonly (readonly [object, string, (round: number) => number])[]) {
  return Array.from({ length: count }, (_unused, round) =>
    sources.map(([source, cname, transit]) => [source, cname, transit(round)] as const),
  )
}

const one = {}
const other = {}

test('a source is later than the fastest one of its clock by what three reports of each agree on', () => {
  const said = rounds(4, [one, CNAME, () => -7000], [other, CNAME, () => -6850])
  assert.deepEqual(noted(new SenderClocks(), said.slice(0, 2)), [undefined, undefined])
  assert.deepEqual(noted(new SenderClocks(), said.slice(0, 3)), [undefined, 150])
  assert.deepEqual(noted(new SenderClocks(), said), [0, 150])
})

test('of reports that tell of late packets the one that is least late counts', () => {
  const late = [10, 0, 20]
  const said = rounds(3, [one, CNAME, () => 0], [other, CNAME, (round) => 150 - late[round]!])
  assert.deepEqual(noted(new SenderClocks(), said)[1], 150)
})

for (const [what, name, transit] of [
  ['another name', 'somebody', () => 150],
  ['no name', '', () => 150],
  ['a name that is none', CNAME.repeat(50), () => 150],
  ['a clock that is hours off', CNAME, () => 3 * 3_600_000],
  ['a clock of 1900', CNAME, () => -3_900_000_000_000],
  ['a clock that stands still', CNAME, (round: number) => round * EVERY_MS],
  ['a clock that jumps', CNAME, (round: number) => (round % 3) * 80],
] as const) {
  test(`${what} says nothing of other streams`, () => {
    const known = noted(new SenderClocks(), rounds(12, [one, CNAME, () => 0], [other, name, transit]))
    assert.deepEqual(
      known.filter((later) => later !== undefined && later !== 0),
      [],
    )
  })
}

test('a clock that is set is asked again when every source has told three times by it', () => {
  const clocks = new SenderClocks()
  noted(clocks, rounds(5, [one, CNAME, () => 0], [other, CNAME, () => 150]))
  const known = [one, one, one, other, other, other, one].map((source, at) =>
    clocks.note(source, CNAME, source === one ? 100 : 250, 21_000 + at * 1000),
  )
  assert.deepEqual(known, [undefined, undefined, undefined, undefined, undefined, 150, 0])
})

test('reports that follow each other at once are one, and a source that fell silent or is over is no measure', () => {
  const clocks = new SenderClocks()
  for (let atMs = 0; atMs < 400; atMs += 20) assert.equal(clocks.note(one, CNAME, 0, atMs), undefined)
  noted(clocks, rounds(3, [one, CNAME, () => 0], [other, CNAME, () => 150]))
  assert.equal(clocks.note(other, CNAME, 150, 60_000), undefined, 'the one has said nothing for long')
  noted(clocks, rounds(14, [one, CNAME, () => 0]))
  clocks.forget(one)
  assert.equal(clocks.note(other, CNAME, 150, 70_000), undefined)
})
