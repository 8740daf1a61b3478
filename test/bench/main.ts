// `npm run bench`: every benchmark in turn, on loopback, bounded in time; prints Markdown, and keeps it with --write.
//
//   --quick   fewer and shorter windows, for a look
//   --write   writes docs/benchmarks.md too; with --only, those sections of it
//   --only X  one of parser, commands, failover, latency, calls, search, recordings, store, kill,
//             disk, drift, loss, recorder, relay

import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { benchDrift, benchLoss } from './aligned-time.ts'
import { benchCallRate } from './call-rate.ts'
import { benchCommands } from './command-delay.ts'
import { benchDisk } from './disk.ts'
import { benchFailover } from './failover.ts'
import { benchHostileMessages } from './hostile-messages.ts'
import { benchKills } from './kills.ts'
import { loadText, machineFacts } from './machine.ts'
import { benchParser } from './parser.ts'
import { benchRecorderLoad } from './recorder-load.ts'
import { benchRecordingLatency } from './recording-latency.ts'
import { benchRecordingSearch, benchWaveform } from './recordings-api.ts'
import { benchRelays } from './relay-compare.ts'
import { figure, ratioText, type Section, sectionText } from './report.ts'
import { benchSearch } from './search.ts'
import { benchStoreCost } from './store-cost.ts'

const PAGE = fileURLToPath(new URL('../../../docs/benchmarks.md', import.meta.url))
const PARSER_GOAL = 3

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
})
const isQuick = options.quick

const benches: Readonly<Record<string, () => Promise<Section[]>>> = {
  parser: async () => [await parserSection(), benchHostileMessages()],
  commands: async () => [await benchCommands(isQuick ? 30 : 120)],
  failover: async () => [await benchFailover(isQuick ? 20 : 100)],
  // As phones send, and ten times as many packets, which meet more often.
  latency: async () => [
    await benchRecordingLatency({ pairs: isQuick ? 5 : 40, frameMs: 20, windowMs: 2_000 }),
    await benchRecordingLatency({ pairs: isQuick ? 20 : 120, frameMs: 2, windowMs: 500 }),
  ],
  calls: async () => [
    await benchCallRate(
      isQuick
        ? { warmUpCalls: 300, rounds: 3, callsPerRound: 200, atATime: 20 }
        : { warmUpCalls: 2000, rounds: 3, callsPerRound: 800, atATime: 20 },
    ),
  ],
  search: async () => [await benchSearch({ recordings: isQuick ? 10_000 : 100_000, rounds: isQuick ? 20 : 100 })],
  recordings: async () => [
    await benchWaveform(isQuick ? 10 : 50),
    await benchRecordingSearch({ recordings: isQuick ? 10_000 : 100_000, rounds: isQuick ? 5 : 30 }),
  ],
  store: async () => [await benchStoreCost(isQuick ? 3 : 9)],
  kill: async () => [await benchKills(isQuick ? { kills: 12, sessions: 6 } : { kills: 200, sessions: 20 })],
  disk: async () => [await benchDisk(isQuick ? { sessions: 4, seconds: 2 } : { sessions: 20, seconds: 5 })],
  drift: async () => [await benchDrift()],
  loss: async () => [await benchLoss(isQuick ? 3 : 20)],
  recorder: async () => [
    await benchRecorderLoad(
      isQuick
        ? { calls: 50, windowSeconds: 3, mostCalls: 500, steps: 2 }
        : { calls: 100, windowSeconds: 8, mostCalls: 600, steps: 4 },
    ),
  ],
  relay: () =>
    benchRelays(
      isQuick
        ? { calls: 100, warmUpSeconds: 3, windows: 3, windowSeconds: 1.5, mostCalls: 600, searches: 1, steps: 4 }
        : { calls: 200, warmUpSeconds: 5, windows: 5, windowSeconds: 2.5, mostCalls: 800, searches: 3, steps: 6 },
    ),
}

async function parserSection(): Promise<Section> {
  const { rows } = await benchParser()
  return {
    title: 'SIP parser beside the npm package sip 0.0.6',
    columns: ['message', 'ours', 'sip', 'ratio', 'goal'],
    rows: rows.map(({ metric, ours, peer, ratio }) => [
      metric,
      figure(ours),
      figure(peer),
      ratioText(ratio),
      `>= ${PARSER_GOAL}x: ${ratio >= PARSER_GOAL ? 'met' : 'missed'}`,
    ]),
    notes: [
      'Messages per second of CPU time on one core, median of the rounds, both in turn; the same messages for both.',
      'Ours reads Via, From, To, Call-ID, CSeq and Content-Length, as a transaction needs them; the peer parses all headers.',
    ],
  }
}

/** Name of the commit that is measured, where git knows it. */
function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'unknown'
  }
}

function pageHead(facts: readonly (readonly [string, string])[]): string {
  return `# Benchmarks

Every figure here was printed by the command below, on the machine and at the time named.

## How to repeat

    npm run bench              # all of it, about forty minutes
    npm run bench -- --quick   # a look: fewer and shorter windows
    npm run bench -- --write   # and writes this page

It uses 127.0.0.1 only. For the comparison with rtpengine install \`rtpengine-daemon\`; without it its row says so. Run it on a machine
with two free cores: on a shared one only the ratios of one run mean anything, and CPU time more than wall time.

## Machine

| fact | value |
|---|---|
${facts.map(([name, value]) => `| ${name} | ${value} |`).join('\n')}
`
}

/** The page with some sections measured anew; each says when and of what, since the head speaks of another run. */
function withSections(
  page: string,
  sections: readonly Section[],
  facts: readonly (readonly [string, string])[],
): string {
  const about = facts
    .filter(([name]) => ['Date', 'Commit', 'Load average at the start', 'Kind of run'].includes(name))
    .map(([name, value]) => `${name.toLowerCase()} ${value}`)
    .join(', ')
  const [head = '', ...old] = page.split(/^(?=## )/m)
  const kept = new Map(old.map((text) => [text.slice(3, text.indexOf('\n')), `${text.trimEnd()}\n`]))
  for (const section of sections) {
    kept.set(section.title, sectionText({ ...section, notes: [...section.notes, `A run of its own: ${about}.`] }))
  }
  return [head, ...kept.values()].join('\n').replace(/\n{3,}/g, '\n\n')
}

/** What stands in the place of a benchmark that broke; the others go on. */
function failure(name: string, fault: unknown): Section {
  process.exitCode = 1
  return { title: `Not measured: ${name}`, notes: [String(fault)], columns: ['outcome'], rows: [['failed']] }
}

async function main(): Promise<void> {
  const names = Object.keys(benches).filter((name) => options.only === undefined || options.only === name)
  if (names.length === 0) throw new Error(`--only takes one of ${Object.keys(benches).join(', ')}`)
  const startedAtMs = Date.now()
  const facts: [string, string][] = [
    ['Date', new Date().toISOString().slice(0, 16)],
    ['Commit', commit()],
    ...machineFacts(),
  ]
  const sections: Section[] = []
  for (const name of names) {
    for (const section of await benches[name]!().catch((fault: unknown) => [failure(name, fault)])) {
      sections.push(section)
      console.log(sectionText(section))
    }
  }
  facts.push(['Load average at the end', loadText()])
  facts.push(['Kind of run', `${isQuick ? 'quick' : 'full'}, ${figure((Date.now() - startedAtMs) / 1000)} s`])
  const page = [pageHead(facts), ...sections.map(sectionText)].join('\n')
  console.log(facts.map(([name, value]) => `${name}: ${value}`).join('\n'))
  if (!options.write) return
  writeFileSync(PAGE, options.only === undefined ? page : withSections(readFileSync(PAGE, 'utf8'), sections, facts))
}

// Ends the processes of the bench too: they are ended when this one exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
await main()
