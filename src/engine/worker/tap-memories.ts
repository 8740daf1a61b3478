// What the taps of a call carried lately, until the main thread says that it is to be forgotten.

import { Gate, type KeptPacket, PacketMemory, type PacketTaker } from '#media'
import type { Tap } from '../media-engine.ts'

/** The memory of one call. */
export class TapMemories {
  readonly #memories = new Map<string, PacketMemory>()
  #gate: Gate | undefined

  /** Nothing may be sent out of the memory once the main thread has shut its gate. */
  get isAllowed(): boolean {
    return this.#gate?.isOpen ?? false
  }

  /** Keeps these taps and no others; what a tap carried before stays. `epoch`: of the gate when this was asked for. */
  remember(taps: readonly Tap[], keepMs: number, gate: SharedArrayBuffer, epoch: number): void {
    this.#gate ??= Gate.attach(gate)
    this.#gate.open(epoch)
    const wanted = new Set(taps.map(keyOf))
    for (const key of this.#memories.keys()) if (!wanted.has(key)) this.#memories.delete(key)
    for (const key of wanted) {
      const memory = this.#memories.get(key)
      if (memory === undefined) this.#memories.set(key, new PacketMemory(keepMs))
      else memory.keepFor(keepMs)
    }
  }

  forget(): void {
    this.#memories.clear()
  }

  /** Who keeps what a tap carries. */
  takersOf(tap: Tap): readonly PacketTaker[] {
    const memory = this.#memories.get(keyOf(tap))
    return memory === undefined ? [] : [memory]
  }

  /** What a tap carried since `fromMs` (monotonic). */
  since(tap: Tap, fromMs: number, nowMs: number): readonly KeptPacket[] {
    return this.isAllowed ? (this.#memories.get(keyOf(tap))?.since(fromMs, nowMs) ?? []) : []
  }
}

/** Names a tap within its call. */
export function keyOf({ point, leg }: Tap): string {
  return `${point} ${leg}`
}
