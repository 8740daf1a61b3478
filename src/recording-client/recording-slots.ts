// The recorders of one recording: a slot per entry of the parallel list, and entries that nobody can carry.

import type { CallEvent } from '#call'
import { err, ok, type Result, type Timer } from '#kernel'
import { parseSipUri, type ServerInvite } from '#sip'
import type { RecorderEntry } from './recorder-list.ts'
import { type Candidate, RecorderSlot, type SlotListener } from './recorder-slot.ts'
import { RecordingSession } from './recording-session.ts'
import type { Wish } from './session-machine.ts'
import type { RecordingPlan, SessionSurroundings } from './session-port.ts'
import type { SlotStanding } from './success-policy.ts'

/** What the slots of a recording are made of. */
export interface RecordingSlotsOptions {
  readonly id: string
  readonly entries: readonly RecorderEntry[]
  readonly plan: RecordingPlan
  /** The INVITE of the recorder of the only entry. */
  readonly invitation?: ServerInvite | undefined
  /** Recorders are asked again and again while the start is wanted. */
  readonly isPersistent: boolean
  readonly around: SessionSurroundings
  /** From when on a new session is sent what was said before it. */
  readonly replayFromMs: (lost: RecordingSession | undefined) => number | undefined
  readonly listener: SlotListener
}

/** The slots of one recording. */
export class RecordingSlots {
  readonly #options: RecordingSlotsOptions
  readonly #slots: RecorderSlot[]
  /** Those of recorders that have joined, which the policy does not count. */
  readonly #joined = new Set<RecorderSlot>()
  readonly #refused: Readonly<Record<string, string>>
  readonly #unusable: readonly SlotStanding[]
  #sessionCount = 0
  #lateAnswers: Timer | undefined

  constructor(options: RecordingSlotsOptions) {
    this.#options = options
    const refused: Record<string, string> = {}
    const slots: RecorderSlot[] = []
    for (const entry of options.entries) {
      const candidates = this.#candidatesOf(entry, refused)
      if (candidates.length > 0) slots.push(this.#slotOf(candidates))
    }
    this.#slots = slots
    this.#refused = refused
    const taken = new Set(slots.flatMap((slot) => slot.candidates.map(({ uri }) => uri)))
    this.#unusable = options.entries
      .filter((entry) => !entry.valid || ![entry.uri, ...entry.alternatives].some((uri) => taken.has(uri)))
      .map(({ uri }) => ({ names: [uri], standing: 'gone' }))
  }

  /** Results before anybody is asked: who will be first, and who will never be. */
  get firstResults(): Readonly<Record<string, string>> {
    const pending = this.#slots.map((slot) => [slot.candidates[0]?.uri ?? '', 'pending'] as const)
    const order = this.#options.entries.map(({ uri }) => [uri, ''] as const)
    const known = { ...Object.fromEntries(order), ...this.#refused, ...Object.fromEntries(pending) }
    return Object.fromEntries(Object.entries(known).filter(([, result]) => result !== ''))
  }

  /** Sessions under way. */
  get live(): readonly RecordingSession[] {
    return this.#slots.flatMap((slot) => slot.current ?? [])
  }

  /** The latest session with each recorder that was asked. */
  get sessions(): readonly RecordingSession[] {
    return this.#slots.flatMap((slot) => slot.sessions)
  }

  get standings(): readonly SlotStanding[] {
    const ordered = this.#slots.filter((slot) => !this.#joined.has(slot))
    return [...ordered.map(standingOf), ...this.#unusable]
  }

  get isEmpty(): boolean {
    return this.#slots.length === 0
  }

  /** Whether nobody carries the recording, nor will. */
  get isGone(): boolean {
    return this.#slots.every((slot) => slot.standing.standing === 'gone')
  }

  /** Whether a recorder carries the recording that is not paused by a command of its own. */
  get isCarried(): boolean {
    return this.#slots.some((slot) => slot.standing.standing === 'carried')
  }

  /** Whether nobody carries the recording so, and nobody is being asked now who would. */
  get isAtRest(): boolean {
    return this.#slots.every((slot) => slot.isAtRest || slot.isHeld)
  }

  /** Whether a recorder accepts and leaves at once, again and again. */
  get isUnsteady(): boolean {
    return this.#slots.some((slot) => slot.isUnsteady)
  }

  /** Who may be given what is recorded while nobody carries it: not who has paused or stopped on its own. */
  get targets(): readonly (readonly string[])[] {
    const slots = this.#slots.filter((slot) => !slot.wasHeld && !slot.isDismissed)
    return slots.map((slot) => slot.candidates.map(({ uri }) => uri))
  }

  /** The slot that a recorder carries, or is to carry. */
  slotOf(uri: string): RecorderSlot | undefined {
    return this.#slots.find((slot) => slot.current?.plan.uri === uri)
  }

  /** Whether a recorder may be had that is not there now. */
  get isSeeking(): boolean {
    return this.#slots.some((slot) => slot.standing.standing === 'open')
  }

  /** Invites the first recorder of every slot. */
  begin(): void {
    const { around, isPersistent } = this.#options
    if (!isPersistent) {
      this.#lateAnswers = around.clock.after(around.times.lateAnswerMs, 'recording late answers', () => {
        for (const slot of this.#slots) if (!slot.wasCarried) slot.giveUp()
      })
    }
    for (const slot of this.#slots) slot.begin()
  }

  /** Takes in a recorder that asks by itself, at what the recording wants now; the reason if it cannot be. */
  join(uri: string, invitation: ServerInvite, wish: Wish): Result<void, string> {
    const refused: Record<string, string> = {}
    const [candidate] = this.#invitedCandidate(uri, invitation, refused)
    if (candidate === undefined) return err(refused[uri] ?? '')
    const slot = this.#slotOf([candidate])
    this.#slots.push(slot)
    this.#joined.add(slot)
    slot.wish(wish)
    slot.begin()
    return ok(undefined)
  }

  /** Tells what the recording wants from now on. For `paused` and `stopped` the gates have been shut before. */
  wish(wish: Wish): void {
    if (wish === 'stopped') this.#lateAnswers?.cancel()
    for (const slot of this.#slots) slot.wish(wish)
  }

  /** Takes whoever has not answered for failed. */
  giveUp(): void {
    this.#lateAnswers?.cancel()
    for (const slot of this.#slots) slot.giveUp()
  }

  callChanged(event: CallEvent): void {
    for (const slot of this.#slots) slot.callChanged(event)
  }

  /** Nothing is awaited any more. */
  close(): void {
    this.#lateAnswers?.cancel()
  }

  #candidatesOf(entry: RecorderEntry, refused: Record<string, string>): Candidate[] {
    if (!entry.valid) {
      refused[entry.uri] = 'failed(503)'
      return []
    }
    const { invitation, around } = this.#options
    if (invitation !== undefined) return this.#invitedCandidate(entry.uri, invitation, refused)
    const { recorders, destinations } = around
    return recorders.candidates([entry.uri, ...entry.alternatives]).flatMap((uri) => {
      const target = parseSipUri(uri)
      if (target.ok && destinations.allows(target.value)) return [{ uri, profile: recorders.profileOf(target.value) }]
      refused[uri] = `failed(${target.ok ? 403 : 503})`
      return []
    })
  }

  #invitedCandidate(uri: string, invitation: ServerInvite, refused: Record<string, string>): Candidate[] {
    const { recorders, destinations } = this.#options.around
    const target = parseSipUri(uri)
    if (target.ok && destinations.allows(target.value)) {
      return [{ uri, profile: recorders.profileOf(target.value), invitation }]
    }
    refused[uri] = `failed(${target.ok ? 403 : 503})`
    return []
  }

  #slotOf(candidates: readonly Candidate[]): RecorderSlot {
    const { id, plan, isPersistent, around, replayFromMs, listener } = this.#options
    const { clock, times } = around
    return new RecorderSlot(
      candidates,
      isPersistent,
      {
        clock,
        times,
        makeSession: ({ uri, profile, invitation, hasStandIn, hasReplay }, sessionListener, lost) => {
          const fromMs = hasReplay ? replayFromMs(lost) : undefined
          this.#sessionCount += 1
          const own = { id: `${id}/${this.#sessionCount}`, uri, profile, hasStandIn, ...(invitation && { invitation }) }
          const streams = (profile.callsPerSession ?? 1) > 1 ? plan.streams.scoped : plan.streams
          const sessionPlan = { ...plan, ...own, streams }
          return new RecordingSession(
            fromMs === undefined ? sessionPlan : { ...sessionPlan, replayFromMs: fromMs },
            around,
            sessionListener,
          )
        },
      },
      listener,
    )
  }
}

/** A recorder that was told to stop is none that the policy misses. */
function standingOf(slot: RecorderSlot): SlotStanding {
  return slot.isDismissed ? { ...slot.standing, standing: 'carried' } : slot.standing
}
