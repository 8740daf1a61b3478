// What waits for one target, in a file that is only added to, and written anew when most of it is history.

import { appendFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Logger, messageOf } from '#kernel'
import type { ApiEvent } from '../events/event-vocabulary.ts'

/** An event that was not delivered. */
export interface DeadLetter {
  readonly event: ApiEvent
  readonly reason: string
  readonly attempts: number
  /** ISO 8601. */
  readonly failedAt: string
}

/** What the file says. */
export interface Backlog {
  /** Oldest first. */
  readonly waiting: readonly ApiEvent[]
  readonly dead: readonly DeadLetter[]
}

/** One change. */
export type JournalLine =
  | { readonly op: 'wait'; readonly event: ApiEvent }
  | { readonly op: 'done'; readonly id: number }
  | { readonly op: 'dead'; readonly letter: DeadLetter }
  /** A dead letter is taken out. */
  | { readonly op: 'undo'; readonly id: number }

const LINES_BEFORE_REWRITE = 5_000

/** The file of one target; trouble with the disk is logged, and what waits goes on waiting in memory. */
export class WebhookJournal {
  readonly #path: string
  readonly #log: Logger
  readonly #backlog: () => Backlog
  #buffer = ''
  /** In the file; the first of a run has it written anew, since the last line of an earlier run may be unfinished. */
  #lines = LINES_BEFORE_REWRITE
  #writing: Promise<void> | undefined

  /** `backlog` gives what there is, for the rewriting of the file. */
  constructor(path: string, log: Logger, backlog: () => Backlog) {
    this.#path = path
    this.#log = log
    this.#backlog = backlog
  }

  /** Notes a change; it is written soon. */
  note(line: JournalLine): void {
    this.#buffer += `${JSON.stringify(line)}\n`
    this.#lines += 1
    this.#writing ??= this.#write()
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.#writing
  }

  async #write(): Promise<void> {
    do {
      const lines = this.#buffer
      this.#buffer = ''
      try {
        await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 })
        if (this.#lines >= LINES_BEFORE_REWRITE) await this.#replace()
        else await appendFile(this.#path, lines, { mode: 0o600 })
      } catch (fault) {
        // With the next change the file is written anew: what is missing in it would otherwise be lost with this run.
        this.#lines = LINES_BEFORE_REWRITE
        this.#log.error('webhook queue could not be written', { fault: messageOf(fault) })
      }
    } while (this.#buffer !== '')
    this.#writing = undefined
  }

  async #replace(): Promise<void> {
    const { waiting, dead } = this.#backlog()
    const lines: JournalLine[] = [
      ...dead.map((letter) => ({ op: 'dead', letter }) as const),
      ...waiting.map((event) => ({ op: 'wait', event }) as const),
    ]
    this.#lines = 0
    // What is noted from here on comes after the lines above.
    this.#buffer = ''
    await writeFile(`${this.#path}.new`, lines.map((line) => `${JSON.stringify(line)}\n`).join(''), { mode: 0o600 })
    await rename(`${this.#path}.new`, this.#path)
  }
}

/** Reads what an earlier run left; a line that was not finished counts as not written. */
export async function readBacklog(path: string): Promise<Backlog> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const waiting = new Map<number, ApiEvent>()
  const dead = new Map<number, DeadLetter>()
  for (const line of text.split('\n').slice(0, -1)) {
    const change = parsed(line)
    if (change?.op === 'wait') waiting.set(change.event.id, change.event)
    if (change?.op === 'done') waiting.delete(change.id)
    if (change?.op === 'dead') {
      waiting.delete(change.letter.event.id)
      dead.set(change.letter.event.id, change.letter)
    }
    if (change?.op === 'undo') dead.delete(change.id)
  }
  return { waiting: [...waiting.values()], dead: [...dead.values()] }
}

function parsed(line: string): JournalLine | undefined {
  try {
    return JSON.parse(line) as JournalLine
  } catch {
    return undefined
  }
}
