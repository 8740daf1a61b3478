// Plays the recorder's side of a capture bundle against the recording client of today, on the in-memory network and a manual clock.

import { type StateTrace, stateTrace } from '#kernel'
import type { CaptureBundle, CaptureEntry } from '#recording-client'
import { parseMessage, type SipMessage } from '#sip'
import type { FakeCall } from './fake-call.ts'
import { FakeSpool } from './fake-spool.ts'
import { GATEWAY, RecordingBench } from './recording-bench.ts'
import type { Received, ScriptedPeer } from './scripted-peer.ts'

/** What became of a replay. */
export interface Replay {
  readonly bench: RecordingBench
  /** `from>to` of every recording session, in order. */
  readonly states: readonly string[]
}

type SipEntry = Extract<CaptureEntry, { type: 'sip' }>
type Happening = Extract<CaptureEntry, { type: 'event' }>['happening']
type Happened<T extends Happening['type']> = Happening & { readonly type: T }

const patienceMs = 64_000
const stepMs = 10
/** Written anew by the peer, as they name this dialog and this network. */
const ownHeaders = new Set([
  'via',
  'max-forwards',
  'from',
  'to',
  'call-id',
  'cseq',
  'contact',
  'content-type',
  'content-length',
])

/** The state changes that a capture holds, as `from>to`. */
export function statesOf(bundle: CaptureBundle): string[] {
  return bundle.entries.flatMap((entry) => (entry.type === 'state' ? [`${entry.from}>${entry.to}`] : []))
}

/** Replays; rejects when the client does not say what it said then. */
export async function replayCapture(bundle: CaptureBundle): Promise<Replay> {
  const bench = new RecordingBench(surroundingsOf(bundle))
  const states: string[] = []
  const onState = (trace: unknown): void => {
    const { machine, from, to } = trace as StateTrace
    if (machine === 'recording-session') states.push(`${from}>${to}`)
  }
  stateTrace.subscribe(onState)
  try {
    await new CaptureReplay(bench, bundle).run()
  } finally {
    stateTrace.unsubscribe(onState)
  }
  return { bench, states }
}

/** What happened of that type. */
function happened<T extends Happening['type']>(bundle: CaptureBundle, type: T): readonly Happened<T>[] {
  return bundle.entries.flatMap((entry) =>
    entry.type === 'event' && entry.happening.type === type ? [entry.happening as Happened<T>] : [],
  )
}

/** A spool that refused refuses again. */
function surroundingsOf(bundle: CaptureBundle): { readonly spool?: FakeSpool } {
  const [refused] = happened(bundle, 'spool.refused')
  if (refused === undefined) return {}
  const spool = new FakeSpool()
  spool.refusal = refused.reason
  return { spool }
}

const cutUnproved = 'the media engine did not confirm the cut'

class CaptureReplay {
  readonly #bench: RecordingBench
  readonly #call: FakeCall
  readonly #peer: ScriptedPeer
  readonly #bundle: CaptureBundle
  readonly #entries: readonly SipEntry[]
  readonly #transport: 'udp' | 'tcp' | 'tls'
  readonly #lastOf = new Map<string, Received>()
  readonly #seen = new Set<string>()
  #tag = ''
  #offered = 'sendonly'
  /** A pause is being commanded. */
  #isPausing = false
  /** The client resumes by itself. */
  #isDue = false

  constructor(bench: RecordingBench, bundle: CaptureBundle) {
    this.#bench = bench
    this.#bundle = bundle
    this.#call = bench.call
    this.#peer = bench.scripted()
    this.#entries = bundle.entries.filter((entry) => entry.type === 'sip')
    const transport = this.#entries[0]?.transport
    this.#transport = transport === 'tcp' || transport === 'tls' ? transport : 'udp'
  }

  async run(): Promise<void> {
    this.#doubtCuts()
    const startedAtMs = this.#bench.clock.nowMs()
    this.#bench.start(`sip:srs@${this.#peer.ip};transport=${this.#transport}`)
    for (const entry of this.#entries) {
      const dueMs = startedAtMs + entry.atMs - this.#bench.clock.nowMs()
      if (dueMs > 0) await this.#bench.pass(dueMs)
      if (entry.direction === 'sent') await this.#expect(entry)
      else await this.#answer(entry)
    }
    await this.#bench.pass(stepMs)
  }

  async #expect(entry: SipEntry): Promise<void> {
    const message = read(entry)
    const key = `${entry.direction} ${message.headers.get('via')} ${labelOf(message)}`
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    const label = message.kind === 'request' ? message.method : message.status
    if (this.#peer.count(label) === 0) this.#command(message, entry.text)
    for (let waitedMs = 0; this.#peer.count(label) === 0 && waitedMs < patienceMs; waitedMs += stepMs) {
      await this.#bench.pass(stepMs)
    }
    const received = this.#peer.take(label)
    if (received.message.kind === 'request') this.#lastOf.set(received.message.method, received)
  }

  /** What the gateway was told then shows in what it said. */
  #command(message: SipMessage, text: string): void {
    if (message.kind !== 'request') return
    const direction = /^a=(sendonly|inactive)/m.exec(text)?.[1]
    const isFirst = !this.#lastOf.has('INVITE')
    if (message.method === 'INVITE' && !isFirst && direction !== undefined && direction !== this.#offered) {
      if (direction === 'inactive') this.#pause()
      else if (!this.#isDue) this.#bench.resume()
      this.#offered = direction
    } else if (message.method === 'BYE' || message.method === 'CANCEL' || message.method === 'UPDATE') this.#call.end()
  }

  /** One that ended by itself has its deadline again. */
  #pause(): void {
    const [expired] = happened(this.#bundle, 'recording.pause-expired')
    this.#isDue = expired !== undefined
    this.#isPausing = true
    if (expired === undefined) this.#bench.pause()
    else this.#bench.pause('info', { maxSeconds: this.#pausedSeconds(), next: expired.next })
    this.#isPausing = false
  }

  #pausedSeconds(): number {
    const offers = this.#entries.filter(({ direction, text }) => direction === 'sent' && /^a=inactive/m.test(text))
    const expiry = this.#bundle.entries.find(
      (entry) => entry.type === 'event' && entry.happening.type === 'recording.pause-expired',
    )
    return Math.max(1, Math.round(((expiry?.atMs ?? 0) - (offers[0]?.atMs ?? 0)) / 1_000))
  }

  /** An engine that did not confirm a cut does not do so again, of the same streams. */
  #doubtCuts(): void {
    const isOfCut = ({ reason }: { readonly reason: string }): boolean => reason.startsWith(cutUnproved)
    const labels = happened(this.#bundle, 'recorder.streams-missing')
      .filter(isOfCut)
      .flatMap((one) => one.labels)
    const isWhole = happened(this.#bundle, 'recorder.lost').some(isOfCut)
    const { media } = this.#call
    const shutGates = media.shutGates.bind(media)
    let isFirst = true
    media.shutGates = async (forks) => {
      // Gates are also shut as they are aimed.
      const isDoubted = this.#isPausing && isFirst
      if (isDoubted) isFirst = false
      const receipts = await shutGates(forks)
      if (!isDoubted) return receipts
      const isOfThem = (fork: string): boolean => isWhole || labels.some((label) => fork.endsWith(`/${label}`))
      return receipts.map((receipt) => (isOfThem(receipt.fork) ? { ...receipt, drained: false } : receipt))
    }
  }

  async #answer(entry: SipEntry): Promise<void> {
    const message = read(entry)
    const headers = [...message.headers.entries()]
      .filter(([name]) => !ownHeaders.has(name.toLowerCase()))
      .map(([name, value]) => `${name}: ${value}`)
    const body = new TextDecoder().decode(message.body)
    const contentType = message.headers.get('content-type') ?? 'application/sdp'
    const contact = `${this.#peer.contact(this.#transport)}${/>(;.*)$/.exec(message.headers.get('contact') ?? '')?.[1] ?? ''}`
    if (message.kind === 'response') {
      const method = /\s(\S+)$/.exec(message.headers.get('cseq') ?? '')?.[1] ?? ''
      const asked = this.#lastOf.get(method)
      if (asked === undefined) throw new Error(`the capture answers ${method}, which was not sent`)
      const tag = /;tag=([^;\s]+)/.exec(message.headers.get('to') ?? '')?.[1] ?? 'replayed'
      if (message.status >= 101) this.#tag ||= tag
      this.#peer.respond(asked, message.status, { tag, reason: message.reason, headers, contentType, contact, body })
    } else {
      const invite = this.#lastOf.get('INVITE')?.message.headers
      this.#peer.request(
        message.method,
        { host: GATEWAY, transport: this.#transport },
        {
          uri: `sip:gateway@${GATEWAY}`,
          from: `${invite?.get('to')?.replace(/;tag=.*$/, '') ?? ''};tag=${this.#tag}`,
          to: invite?.get('from') ?? '',
          callId: invite?.get('call-id') ?? '',
          cseq: Number.parseInt(message.headers.get('cseq') ?? '1', 10),
          headers,
          contentType,
          contact,
          body,
        },
      )
    }
    await this.#bench.pass(stepMs)
  }
}

function labelOf(message: SipMessage): string {
  return message.kind === 'request' ? message.method : `${message.status}`
}

function read(entry: SipEntry): SipMessage {
  const parsed = parseMessage(new TextEncoder().encode(entry.text), { transport: 'stream' })
  if (!parsed.ok) throw new Error(`the capture has a message that does not parse: ${parsed.error.message}`)
  return parsed.value
}
