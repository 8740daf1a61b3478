// `npm run soak`: many recorded calls with hang-ups at every stage; prints what became of them, and fails on any leak.
//
//   --calls N    calls, 10000 unless told
//   --at-once N  calls at a time, 16 unless told
//   --seed N     seed of the moments of hanging up

import { parseArgs } from 'node:util'
import { loadText } from '../bench/machine.ts'
import { figure, type Section, sectionText } from '../bench/report.ts'
import { growthOf, type MemorySample } from './growth.ts'
import { runSoak, type SoakResult } from './soak.ts'

/** What may be left of a call for good; the smallest object of a call that leaked would be more. */
const HEAP_BYTES_PER_CALL = 256
/** Pages of the process come and go by the megabyte; below this, ten thousand calls are lost in that. */
const RSS_BYTES_PER_CALL = 2_048
/** With fewer calls, the memory of the first seconds is all there is to see. */
const CALLS_FOR_A_CURVE = 2_000
const ROUNDS = 20
const MIB = 2 ** 20

const { values: options } = parseArgs({
  options: {
    calls: { type: 'string', default: '10000' },
    'at-once': { type: 'string', default: '16' },
    seed: { type: 'string', default: '1' },
  },
})

function outcomeSection({ outcomes }: SoakResult): Section {
  return {
    title: 'Soak: what became of the calls',
    columns: ['the call', 'caller: recording sessions', 'calls'],
    rows: [...outcomes].flatMap(([title, counts]) =>
      [...counts].map(([outcome, count]) => [title, outcome, figure(count)]),
    ),
    notes: [],
  }
}

function memorySection(samples: readonly MemorySample[]): Section {
  return {
    title: 'Soak: memory',
    columns: ['calls made', 'RSS MiB', 'heap MiB'],
    rows: samples.map(({ calls, rssBytes, heapBytes }) => [
      figure(calls),
      figure(rssBytes / MIB, 1),
      figure(heapBytes / MIB, 1),
    ]),
    notes: [
      'The whole process, gateway with its media worker and the peers, after each round of calls, when all was gone. Heap: of the main thread, after garbage collection.',
    ],
  }
}

function faultsOf(result: SoakResult, calls: number): string[] {
  const { rssBytesPerCall, heapBytesPerCall } = growthOf(result.memory)
  const hasCurve = calls >= CALLS_FOR_A_CURVE && globalThis.gc !== undefined
  return [
    ...result.wrong,
    ...result.leaks.map((leak) => `left over: ${leak}`),
    ...result.errors.map((message) => `logged: ${message}`),
    ...(result.packets.recorded === 0 ? ['no recorder heard anything'] : []),
    ...(hasCurve && heapBytesPerCall > HEAP_BYTES_PER_CALL ? ['the heap grows'] : []),
    ...(hasCurve && rssBytesPerCall > RSS_BYTES_PER_CALL ? ['the process grows'] : []),
  ]
}

const calls = Number(options.calls)
const result = await runSoak({
  calls,
  atATime: Number(options['at-once']),
  seed: Number(options.seed),
  rounds: ROUNDS,
  onRound: (sample) => console.error(`${figure(sample.calls)} calls`),
})
const { rssBytesPerCall, heapBytesPerCall } = growthOf(result.memory)
const faults = faultsOf(result, calls)
console.log(sectionText(outcomeSection(result)))
console.log(sectionText(memorySection(result.memory)))
console.log(
  [
    `${figure(calls)} calls in ${figure(result.seconds)} s, seed ${options.seed}, load average ${loadText()}`,
    `growth over the second half: heap ${figure(heapBytesPerCall)} B per call (at most ${HEAP_BYTES_PER_CALL}), RSS ${figure(rssBytesPerCall)} B per call (at most ${RSS_BYTES_PER_CALL})`,
    `packets: ${figure(result.packets.heard)} heard by the parties, ${figure(result.packets.recorded)} by the recorders`,
    ...[...result.losses].map(([reason, count]) => `recorder lost: ${reason}, ${figure(count)} times`),
    ...(faults.length === 0
      ? ['nothing left over: no dialog, transaction, timer, call, recording, port, fork, handle']
      : faults),
  ].join('\n'),
)
process.exitCode = faults.length === 0 ? 0 : 1
