// Parser benchmark: our lazy parser, with the values every transaction needs read, against the npm `sip` package.

import { createRequire } from 'node:module'
import { parseMessage } from '#sip'
import { siprecInvite, trunkInvite } from './parser-messages.ts'

/** One compared figure; `ratio` above 1 means that ours is better. */
export interface BenchRow {
  readonly metric: string
  readonly ours: number
  readonly peer: number
  readonly ratio: number
  readonly unit: string
}

/** The outcome of one benchmark. */
export interface BenchResult {
  readonly name: string
  readonly rows: BenchRow[]
}

const ROUNDS = 9
const ROUND_CPU_MS = 250
const VARIANTS = 500

/** Compares messages parsed per second of CPU time: interleaved rounds, median of each. Takes about ten seconds. */
export async function benchParser(): Promise<BenchResult> {
  const rows = [
    compare('trunk INVITE with SDP', trunkInvite),
    compare('SIPREC INVITE with multipart body', siprecInvite),
  ]
  return { name: 'SIP parser against sip 0.0.6', rows }
}

function compare(metric: string, make: (index: number) => Uint8Array): BenchRow {
  const messages = Array.from({ length: VARIANTS }, (_, index) => Buffer.from(make(index)))
  const peerParse = loadPeer()
  for (const message of messages) {
    if (!readWithOurs(message) || !readWithPeer(peerParse, message)) throw new Error(`cannot parse: ${metric}`)
  }
  const ours: number[] = []
  const peer: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const oursRate = rate(messages, readWithOurs)
    const peerRate = rate(messages, (message) => readWithPeer(peerParse, message))
    // The first round warms up both.
    if (round === 0) continue
    ours.push(oursRate)
    peer.push(peerRate)
  }
  const [oursMedian, peerMedian] = [median(ours), median(peer)]
  const label = `${metric}, ${messages[0]!.length} B`
  return {
    metric: label,
    ours: oursMedian,
    peer: peerMedian,
    ratio: oursMedian / peerMedian,
    unit: 'messages per CPU second',
  }
}

function rate(messages: readonly Buffer[], read: (message: Buffer) => boolean): number {
  const start = process.cpuUsage()
  let count = 0
  let micros = 0
  while (micros < ROUND_CPU_MS * 1000) {
    for (const message of messages) if (read(message)) count++
    const used = process.cpuUsage(start)
    micros = used.user + used.system
  }
  return Math.round((count * 1e6) / micros)
}

function readWithOurs(message: Buffer): boolean {
  const parsed = parseMessage(message)
  if (!parsed.ok) return false
  const { headers, body } = parsed.value
  const [via, cseq] = [headers.topVia(), headers.cseq()]
  if (!via?.ok || !cseq?.ok) return false
  const length = Number(headers.get('Content-Length'))
  return (
    via.value.params.has('branch') &&
    (headers.tag('From') ?? '') !== '' &&
    headers.tag('To') === '' &&
    headers.has('Call-ID') &&
    cseq.value.method === 'INVITE' &&
    length === body.length
  )
}

interface PeerParams {
  readonly branch?: string
  readonly tag?: string
}

interface PeerMessage {
  readonly headers: {
    readonly via: readonly { readonly params: PeerParams }[]
    readonly from: { readonly params: PeerParams }
    readonly 'call-id': string
    readonly cseq: { readonly method: string }
    readonly 'content-length': number
  }
}

type PeerParse = (message: Buffer) => PeerMessage | undefined

function readWithPeer(parse: PeerParse, message: Buffer): boolean {
  const headers = parse(message)?.headers
  if (headers === undefined) return false
  return (
    headers.via[0]?.params.branch !== undefined &&
    headers.from.params.tag !== undefined &&
    headers['call-id'] !== '' &&
    headers.cseq.method === 'INVITE' &&
    headers['content-length'] > 0
  )
}

function loadPeer(): PeerParse {
  const module: { parse: PeerParse } = createRequire(import.meta.url)('sip')
  return module.parse
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
