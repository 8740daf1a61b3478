// Datagrams of 60 kB made to cost a parser as much as possible, and what the worst of them costs ours.

import { parseMessage } from '#sip'
import { figure, median, type Section } from './report.ts'

const SIZE = 60_000
const REPETITIONS = 20
const GOAL_MS = 25

const REQUEST_LINE = 'INVITE sip:a@192.0.2.1 SIP/2.0\r\n'
const REQUIRED = [
  'Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1',
  'From: <sip:a@192.0.2.2>;tag=1',
  'To: <sip:b@192.0.2.1>',
  'Call-ID: 1',
  'CSeq: 1 INVITE',
  'Max-Forwards: 70',
  '',
].join('\r\n')

const fillers: Readonly<Record<string, string>> = {
  'shortest headers': 'a:\r\n',
  'folded lines': 'X-Folded: a\r\n b\r\n',
  'many Via headers': 'Via: SIP/2.0/UDP 192.0.2.3;branch=z9hG4bK2\r\n',
  'bare carriage returns': 'X: \r\r\r\n',
  'escaped octets': 'From: "\\"\\"" <sip:%61%62@192.0.2.2>;tag=2\r\n',
}

const inners: Readonly<Record<string, readonly [name: string, unit: string]>> = {
  'one list of Via values': ['Via', 'SIP/2.0/UDP 192.0.2.3;branch=z9hG4bK2,'],
  'quotes never closed': ['From', '"\\'],
  'angle brackets': ['To', '<'],
  'one long parameter list': ['From', ';a'],
  'blanks before a colon': ['Contact', ' '],
  commas: ['Contact', ','],
}

function hostileMessages(): Map<string, Uint8Array> {
  const messages = new Map<string, Uint8Array>()
  const add = (name: string, head: string, unit: string, tail: string): void => {
    const count = Math.floor((SIZE - head.length - tail.length) / unit.length)
    messages.set(name, Buffer.from(`${head}${unit.repeat(count)}${tail}`))
  }
  const tail = 'Content-Length: 0\r\n\r\n'
  for (const [name, unit] of Object.entries(fillers)) add(name, REQUEST_LINE + REQUIRED, unit, tail)
  for (const [name, [header, unit]] of Object.entries(inners)) {
    add(name, `${REQUEST_LINE}${header}: `, unit, `\r\n${REQUIRED}${tail}`)
  }
  add('one long request line', 'INVITE sip:a@192.0.2.1;', 'a;', ` SIP/2.0\r\n${REQUIRED}${tail}`)
  add('no line at all', '', 'a', '')
  return messages
}

/** Parses and reads everything that the core reads of a message. */
function read(bytes: Uint8Array): void {
  const parsed = parseMessage(bytes, { transport: 'datagram' })
  if (!parsed.ok) return
  const { headers } = parsed.value
  headers.topVia()
  headers.cseq()
  headers.all('Via')
  for (const name of ['From', 'To', 'Contact']) headers.nameAddr(name)
}

/** The median CPU time of each message over some repetitions, the worst of them first. */
export function benchHostileMessages(): Section {
  const costs = [...hostileMessages()].map(([name, bytes]): [string, number] => {
    const times = Array.from({ length: REPETITIONS }, () => {
      const before = process.cpuUsage()
      read(bytes)
      const { user, system } = process.cpuUsage(before)
      return (user + system) / 1000
    })
    return [name, median(times)]
  })
  const worst = costs.toSorted(([, a], [, b]) => b - a).slice(0, 3)
  return {
    title: 'SIP parser: the worst datagrams of 60 kB',
    columns: ['message', 'CPU ms', 'goal'],
    rows: worst.map(([name, ms]) => [name, figure(ms, 2), `< ${GOAL_MS} ms: ${ms < GOAL_MS ? 'met' : 'missed'}`]),
    notes: [
      `The worst three of ${costs.length} kinds; parsed, and the headers read that the core reads.`,
      `CPU time of this process, median of ${REPETITIONS} repetitions of each, the first ones not yet compiled.`,
    ],
  }
}
