// The flows that the routes name: read and checked at start, and taken anew when their files change and are valid.

import { readFile, stat } from 'node:fs/promises'

import { type Flow, type FlowError, flowErrorText, parseFlow } from '#flow'
import { AppError, type Clock, Listeners, type Logger, messageOf, type Timer } from '#kernel'

/** What a library works with. */
export interface FlowLibraryOptions {
  /** As the configuration names them. */
  readonly files: readonly string[]
  readonly clock: Clock
  readonly log: Logger
}

/** A flow in force, and what is wrong with its file by now. */
export interface LoadedFlow {
  readonly file: string
  readonly source: string
  readonly flow: Flow
  readonly loadedAtMs: number
  /** Of the file as it is now. */
  readonly mistakes: readonly FlowError[]
}

/** A changed file: taken, or not. */
export interface FlowChange {
  readonly type: 'flow.reloaded' | 'flow.rejected'
  readonly file: string
  readonly mistakes: readonly FlowError[]
}

type Read = { readonly source: string; readonly flow: Flow } | { readonly mistakes: readonly FlowError[] }

const POLL_MS = 2_000

/** Flows by file; calls keep the flow that they began with. */
export class FlowLibrary {
  readonly changes: Listeners<FlowChange>
  readonly #options: FlowLibraryOptions
  readonly #flows = new Map<string, LoadedFlow>()
  readonly #seen = new Map<string, string>()
  #poll: Timer | undefined
  #isClosed = false

  private constructor(options: FlowLibraryOptions) {
    this.#options = options
    this.changes = new Listeners((fault) => options.log.error('flow listener failed', { error: messageOf(fault) }))
  }

  /** Reads the files; rejects with AppError `flow.invalid`, which lists the mistakes of all files, each with file, line and column. */
  static async open(options: FlowLibraryOptions): Promise<FlowLibrary> {
    const library = new FlowLibrary(options)
    const mistakes: string[] = []
    for (const file of new Set(options.files)) {
      library.#seen.set(file, await versionOf(file))
      const read = await readFlow(file)
      if ('mistakes' in read) mistakes.push(...read.mistakes.map(flowErrorText))
      else library.#take(file, read)
    }
    if (mistakes.length > 0) {
      throw new AppError('flow.invalid', mistakes.join('\n'), { result: 'client', reason: 'flow-invalid' })
    }
    library.#await()
    return library
  }

  get(file: string): Flow | undefined {
    return this.#flows.get(file)?.flow
  }

  list(): readonly LoadedFlow[] {
    return [...this.#flows.values()]
  }

  /** Looks at the files now; those that changed are taken for new calls if they are valid. */
  async reload(): Promise<void> {
    for (const file of this.#flows.keys()) {
      const version = await versionOf(file)
      if (version === this.#seen.get(file)) continue
      this.#seen.set(file, version)
      const read = await readFlow(file)
      if (this.#isClosed) return
      if ('mistakes' in read) this.#refuse(file, read.mistakes)
      else {
        this.#take(file, read)
        this.#options.log.info('flow reloaded', { file })
        this.changes.emit({ type: 'flow.reloaded', file, mistakes: [] })
      }
    }
  }

  close(): void {
    this.#isClosed = true
    this.#poll?.cancel()
  }

  #await(): void {
    if (this.#isClosed || this.#flows.size === 0) return
    this.#poll = this.#options.clock.after(POLL_MS, 'flow files', () => {
      this.reload()
        .catch((fault: unknown) => this.#options.log.error('flow files cannot be read', { error: messageOf(fault) }))
        .finally(() => this.#await())
    })
  }

  #take(file: string, read: Exclude<Read, { mistakes: unknown }>): void {
    const { log, clock } = this.#options
    this.#flows.set(file, { file, ...read, loadedAtMs: clock.wallMs(), mistakes: [] })
    for (const warning of read.flow.warnings) log.warn('flow warning', { warning: flowErrorText(warning) })
  }

  #refuse(file: string, mistakes: readonly FlowError[]): void {
    const loaded = this.#flows.get(file)
    if (loaded !== undefined) this.#flows.set(file, { ...loaded, mistakes })
    this.#options.log.error('flow not reloaded, the old one stays', { file, mistakes: mistakes.map(flowErrorText) })
    this.changes.emit({ type: 'flow.rejected', file, mistakes })
  }
}

/** Changes whenever the file does; empty while it cannot be seen. */
async function versionOf(file: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(file)
    return `${mtimeMs}/${size}/${ino}`
  } catch {
    return ''
  }
}

async function readFlow(file: string): Promise<Read> {
  let source: string
  try {
    source = await readFile(file, 'utf8')
  } catch (fault) {
    return { mistakes: [{ file, line: 1, column: 1, path: '', expected: `cannot be read: ${messageOf(fault)}` }] }
  }
  const parsed = parseFlow(source, file)
  return parsed.ok ? { source, flow: parsed.value } : { mistakes: parsed.error }
}
