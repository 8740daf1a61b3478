// `rebuild-catalogue`: the index of the recordings made anew from their folders.

import { existsSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { AppError, messageOf } from '#kernel'
import { systemClock } from '#net'
import type { Rebuilt } from '#store'
import { loadConfig } from '../config.ts'
import type { RecorderConfig } from '../config-schema.ts'
import { CATALOGUE_FILE, LibraryRoom } from '../library/library-room.ts'
import { createLogger } from '../logging.ts'
import { librarySettings } from '../recorder.ts'

/** Adds the commands. */
export function addCatalogueCommands(program: Command): void {
  program
    .command('rebuild-catalogue')
    .description('make the catalogue anew from the folders of the recordings; the recorder may run meanwhile')
    .requiredOption('-c, --config <file>', 'configuration file')
    .action(async ({ config }: { config: string }) => {
      const recorder = await recorderOf(config)
      for (const moved of await moveUnreadable(recorder)) process.stdout.write(`not readable, kept as ${moved}\n`)
      process.stdout.write(rebuiltText(await rebuild(recorder)))
    })
}

/** The recorder's section of a configuration; rejects with AppError `app.no-recorder` where there is none. */
export async function recorderOf(file: string): Promise<RecorderConfig> {
  const { recorder } = await loadConfig(file, process.env)
  if (recorder !== undefined) return recorder
  const verdict = { result: 'client', reason: 'no-recorder' } as const
  throw new AppError('app.no-recorder', `${file} has no section recorder`, verdict)
}

/** Opens the library of a recorder for a command, and closes it afterwards. */
export async function withLibrary<T>(recorder: RecorderConfig, work: (room: LibraryRoom) => Promise<T>): Promise<T> {
  const room = new LibraryRoom(librarySettings(recorder), { clock: systemClock, log: createLogger('warn') })
  try {
    return await work(room)
  } finally {
    await room.close()
  }
}

async function rebuild(recorder: RecorderConfig): Promise<Rebuilt> {
  return await withLibrary(recorder, async (room) => {
    await room.connect()
    return await room.rebuild()
  })
}

/** What a rebuild did, for people. */
export function rebuiltText({ recordings, deleted, removed }: Rebuilt): string {
  return `${recordings} recordings, ${deleted} deleted ones, ${removed} rows without folder removed\n`
}

/** Moves an embedded catalogue aside that SQLite cannot read; gives its new names. */
async function moveUnreadable(recorder: RecorderConfig): Promise<string[]> {
  const { folder, database } = recorder.store
  const file = join(folder, CATALOGUE_FILE)
  if (database !== undefined || !existsSync(file)) return []
  try {
    await withLibrary(recorder, (room) => room.connect())
    return []
  } catch (thrown) {
    if (!/not a database|malformed/i.test(messageOf(thrown))) throw thrown
  }
  const moved: string[] = []
  for (const name of ['', '-wal', '-shm'].map((suffix) => file + suffix).filter((path) => existsSync(path))) {
    await rename(name, `${name}.unreadable`)
    moved.push(`${name}.unreadable`)
  }
  return moved
}
