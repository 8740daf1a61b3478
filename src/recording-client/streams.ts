// The streams of a call: what the caller says, what the far side says, one more for each further party, and video beside them
// (RFC 7866 section 8.3; RFC 8068 section 3.3).

import type { CallParty, CallSnapshot } from '#call'
import type { Mix, Tap } from '#engine'
import type { Ids } from '#kernel'
import type { MediaStyle } from './recorder-profile.ts'

/** A stream of the call, the same towards every recorder for its life. */
export interface CallStream {
  /** `a=label` and metadata label: an SDP token (RFC 4574), never used again for another stream. */
  readonly label: string
  /** 16 UUID bytes. */
  readonly streamId: Uint8Array
  readonly kind: 'audio' | 'video'
}

/** What a stream carries at this moment: what it is copied from, who speaks into it and who hears it. */
export interface StreamNow extends CallStream {
  readonly tap: Tap | Mix
  readonly senders: readonly Uint8Array[]
  readonly receivers: readonly Uint8Array[]
}

/** A source of media that gets a stream; `key` is its name as long as it lasts. */
interface Source {
  readonly key: string
  readonly kind: CallStream['kind']
  readonly side: 'caller' | 'far'
  readonly tap: Tap
  readonly speaking: readonly CallParty[]
  readonly hearing: readonly CallParty[]
}

/** The streams of one call. */
export class CallStreams {
  readonly #ids: Ids
  readonly #live = new Map<string, CallStream>()
  readonly #mixed: CallStream
  readonly #scope: string
  #labels = 0

  /** `scope` tells the labels of this call from those of others, where they are in one session. */
  constructor(ids: Ids, scope = '') {
    this.#ids = ids
    this.#scope = scope
    for (const key of ['caller', 'far']) this.#live.set(key, this.#create('audio'))
    this.#mixed = { label: '1', streamId: ids.uuid(), kind: 'audio' }
  }

  /** The streams of the moment as a recorder of this style gets them; audio comes first. */
  now(snapshot: CallSnapshot, style: MediaStyle): StreamNow[] {
    const sources = sourcesOf(snapshot)
    for (const key of this.#live.keys()) if (!sources.some((source) => source.key === key)) this.#live.delete(key)
    const streams = sources.map((source) => ({ source, stream: this.#streamOf(source) }))
    const wanted = streams.filter(
      ({ source }) => (style.side === 'both' || source.side === style.side) && (style.video || source.kind === 'audio'),
    )
    const separate = wanted.map(({ source, stream }): StreamNow => ({ ...stream, tap: source.tap, ...rolesOf(source) }))
    if (style.streams === 'separate') return separate
    return [this.#mix(separate), ...separate.filter((stream) => stream.kind === 'video')]
  }

  /** The same with labels that no other call has. */
  get scoped(): Pick<CallStreams, 'now'> {
    return {
      now: (snapshot, style) =>
        this.now(snapshot, style).map((stream) => ({ ...stream, label: `${this.#scope}-${stream.label}` })),
    }
  }

  /** Everyone whose voice is in a mix sends to it and hears it (RFC 8068 section 3.3). */
  #mix(separate: readonly StreamNow[]): StreamNow {
    const voices = separate.filter((stream) => stream.kind === 'audio')
    const mix = voices.flatMap(({ tap }) => ('mix' in tap ? tap.mix : [tap]))
    const senders = distinct(voices.flatMap((voice) => voice.senders))
    return { ...this.#mixed, tap: { mix }, senders, receivers: distinct(voices.flatMap((voice) => voice.receivers)) }
  }

  #streamOf({ key, kind }: Source): CallStream {
    const known = this.#live.get(key)
    if (known !== undefined) return known
    const stream = this.#create(kind)
    this.#live.set(key, stream)
    return stream
  }

  #create(kind: CallStream['kind']): CallStream {
    this.#labels += 1
    return { label: `${this.#labels}`, streamId: this.#ids.uuid(), kind }
  }
}

/** Where the voices of the moment are copied from. */
export function voiceTaps(snapshot: CallSnapshot): Tap[] {
  return sourcesOf(snapshot).flatMap(({ kind, tap }) => (kind === 'audio' ? [tap] : []))
}

/** Whether two forks would copy the same. */
export function isSameTap(a: Tap | Mix, b: Tap | Mix): boolean {
  return tapText(a) === tapText(b)
}

function tapText(tap: Tap | Mix): string {
  return 'mix' in tap ? tap.mix.map(tapText).join('+') : `${tap.leg} ${tap.point}`
}

/**
 * One source for the caller, one for the far side, and one for each callee beyond the first. The far side is what we send to the
 * caller; while the caller holds, nothing is sent there, and with several callees all of them would be: then it is what the first says.
 */
function sourcesOf(snapshot: CallSnapshot): Source[] {
  const present = snapshot.parties.filter((party) => party.leftAtMs === undefined)
  const callers = present.filter((party) => party.role === 'caller')
  const callees = present.filter((party) => party.role === 'callee')
  const far = callees.length > 0 ? callees : present.filter((party) => party.role === 'automaton')
  const [first, ...others] = callees
  const caller = snapshot.parties.findLast((party) => party.role === 'caller')
  const callerLeg = caller?.leg ?? 'caller'
  const isAlone = others.length === 0 && (first === undefined || caller === undefined || caller.hold === 'none')
  const farLeg = first?.leg ?? callerLeg
  const voices: Source[] = [
    voice('caller', 'caller', { leg: callerLeg, point: 'received' }, callers, far),
    voice(
      'far',
      'far',
      isAlone ? { leg: callerLeg, point: 'sent' } : { leg: farLeg, point: 'received' },
      others.length === 0 ? far : callees.slice(0, 1),
      [...callers, ...others],
    ),
    ...others.map((party) =>
      voice(keyOf(party), 'far', { leg: party.leg, point: 'received' }, [party], without(party, [...callers, ...far])),
    ),
  ]
  return [...voices, ...picturesOf([...callers, ...callees])]
}

function voice(key: string, side: Source['side'], tap: Tap, speaking: Source['speaking'], hearing: Source['hearing']) {
  return { key, kind: 'audio', side, tap, speaking, hearing } as const
}

/** The video of each party that has some, seen by the others that have. */
function picturesOf(parties: readonly CallParty[]): Source[] {
  const seeing = parties.filter((party) => party.videoLeg !== undefined)
  return seeing.map((party) => ({
    key: `video ${keyOf(party)}`,
    kind: 'video',
    side: party.role === 'caller' ? 'caller' : 'far',
    tap: { leg: party.videoLeg ?? '', point: 'received' },
    speaking: [party],
    hearing: without(party, seeing),
  }))
}

/** A party that holds hears nothing, one that all others hold says nothing (RFC 8068 section 3.2.2). */
function rolesOf({ speaking, hearing }: Source): Pick<StreamNow, 'senders' | 'receivers'> {
  const isHeldByHearers = hearing.length > 0 && hearing.every((party) => party.hold !== 'none')
  const senders = speaking.filter((party) => party.hold !== 'inactive' && !isHeldByHearers)
  const receivers = hearing.filter((party) => party.hold === 'none')
  return { senders: senders.map(idOf), receivers: receivers.map(idOf) }
}

function without(party: CallParty, parties: readonly CallParty[]): CallParty[] {
  return parties.filter((each) => each !== party)
}

function idOf(party: CallParty): Uint8Array {
  return party.participantId
}

function keyOf(party: CallParty): string {
  return party.participantId.join('.')
}

function distinct(ids: readonly Uint8Array[]): Uint8Array[] {
  return [...new Map(ids.map((id) => [id.join('.'), id])).values()]
}
