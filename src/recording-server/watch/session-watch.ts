// "Is it really recording?": the alarms of one recording, raised and cleared as its streams are judged.

import type { Alarm, AlarmEntry } from '#store'
import { lastingAlarms } from '../own-alarms.ts'
import { type AlarmRules, inactiveAlarm, type SameAudioMemory, sameAudioAlarm, streamAlarms } from './alarm-rules.ts'
import { type SoundFrame, SoundTap } from './sound-tap.ts'
import type { StreamReading, StreamWatch } from './stream-watch.ts'

/** Alarms that a manifest lists, the first ones. */
const MAX_LISTED = 200
/** More streams than this are not compared with each other. */
const MAX_COMPARED = 4
const NEVER_COMPARED = { isSame: false, lagSamples: 0 }

interface Standing {
  readonly alarm: Alarm
  readonly entry: AlarmEntry | undefined
}

/** What becomes of alarms. */
export interface AlarmSink {
  raised(alarm: Alarm): void
  cleared(alarm: Alarm): void
}

/** Watch over the streams of one recording. */
export class SessionWatch {
  readonly #streams: StreamWatch[] = []
  readonly #tap = new SoundTap()
  readonly #rules: AlarmRules
  readonly #sink: AlarmSink
  readonly #standing = new Map<string, Standing>()
  /** Those that no judgement takes back. */
  readonly #lasting = new Map<string, Alarm>()
  readonly #listed: { -readonly [K in keyof AlarmEntry]: AlarmEntry[K] }[] = []
  #same = new Map<string, SameAudioMemory>()
  #inactiveSinceMs: number | undefined

  /** `before`: those of a process before a restart. */
  constructor(rules: AlarmRules, sink: AlarmSink, before: readonly AlarmEntry[] = []) {
    this.#rules = rules
    this.#sink = sink
    this.#listed.push(...before)
    for (const { fromMs: _from, toMs: _to, ...alarm } of before) if (lastingAlarms.has(alarm.code)) this.raise(alarm)
  }

  /** An alarm that stands from the next check to the end; the same one is raised once. */
  raise(alarm: Alarm): void {
    this.#lasting.set(`${alarm.code} ${alarm.channel ?? ''} ${alarm.cause}`, alarm)
  }

  add(stream: StreamWatch): void {
    this.#streams.push(stream)
    this.#tap.follow(this.#streams)
  }

  readings(nowMs: number): StreamReading[] {
    return this.#streams.map((stream) => stream.reading(nowMs))
  }

  /** Has what is heard kept for `takeSound`, or no more. */
  listen(isOn: boolean): void {
    this.#tap.isOn = isOn
    this.#tap.follow(this.#streams)
  }

  /** What was heard since the last time, a frame per channel. */
  takeSound(): SoundFrame[] {
    return this.#tap.take()
  }

  /** Those that stand now. */
  get alarms(): readonly Alarm[] {
    return [...this.#standing.values()].map(({ alarm }) => alarm)
  }

  /** All there were, for the manifest. */
  get entries(): readonly AlarmEntry[] {
    return this.#listed
  }

  /** Judges the streams; to be called each STEP_MS. `atMs` is the time of the recording. True: alarms have changed. */
  check(nowMs: number, atMs: number): boolean {
    let hasChanged = false
    const found = new Map(this.#lasting)
    for (const alarm of this.#judged(nowMs)) found.set(`${alarm.code} ${alarm.channel ?? ''}`, alarm)
    for (const [key, { alarm, entry }] of this.#standing) {
      if (found.has(key)) continue
      hasChanged = true
      this.#standing.delete(key)
      if (entry !== undefined) Object.assign(entry, { toMs: Math.round(atMs) })
      this.#sink.cleared(alarm)
    }
    for (const [key, alarm] of found) {
      if (this.#standing.has(key)) continue
      hasChanged = true
      const entry = this.#listed.length < MAX_LISTED ? { ...alarm, fromMs: Math.round(atMs) } : undefined
      if (entry !== undefined) this.#listed.push(entry)
      this.#standing.set(key, { alarm, entry })
      this.#sink.raised(alarm)
    }
    for (const stream of this.#streams) stream.step()
    return hasChanged
  }

  *#judged(nowMs: number): Generator<Alarm> {
    for (const stream of this.#streams) yield* streamAlarms(stream, this.#streams, nowMs, this.#rules)
    const inactive = this.#judgeInactive(nowMs)
    if (inactive !== undefined) yield inactive
    const compared = this.#streams
      .filter(({ isExpected, settings }) => isExpected && settings.kind === undefined)
      .slice(0, MAX_COMPARED)
    const before = this.#same
    this.#same = new Map()
    for (const [index, other] of compared.entries()) {
      for (const one of compared.slice(0, index)) {
        const pair = `${one.channel} ${other.channel}`
        const memory = before.get(pair) ?? { checkedMs: Number.NEGATIVE_INFINITY, latest: NEVER_COMPARED }
        this.#same.set(pair, memory)
        const alarm = sameAudioAlarm(one, other, nowMs, memory)
        if (alarm !== undefined) yield alarm
      }
    }
  }

  #judgeInactive(nowMs: number): Alarm | undefined {
    const live = this.#streams.filter(({ silence }) => silence !== 'over')
    if (live.length === 0 || !live.every(({ isInactive }) => isInactive)) {
      this.#inactiveSinceMs = undefined
      return undefined
    }
    this.#inactiveSinceMs ??= nowMs
    return inactiveAlarm(live, this.#inactiveSinceMs, nowMs, this.#rules)
  }
}
