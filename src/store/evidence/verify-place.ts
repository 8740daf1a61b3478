// What a path that is to be verified is: a store, a day of it, a recording in it, or one that was exported.

import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { AppError } from '#kernel'
import { CHAIN_FILE, chainDays, daysOf } from './chain.ts'
import { EVIDENCE_FILE } from './evidence-file.ts'

const OPEN = /\.open$/
const DAY = /[\\/](\d{4})[\\/](\d\d)[\\/](\d\d)$/

/** What is to be looked at. */
export interface VerifyPlace {
  readonly scope: 'store' | 'day' | 'recording'
  /** Folder that everything else is below of. */
  readonly root: string
  /** Recordings that are published. */
  readonly folders: readonly string[]
  /** Recordings that are not, by their final names. */
  readonly open: readonly string[]
  /** Days whose chains are read, in order; of a recording, its evidence names the day. */
  readonly days: readonly string[] | undefined
  /** The day that is verified. */
  readonly day?: string
}

/** Finds out what a path is; throws AppError `store.nothing-to-verify`. */
export function placeOf(given: string): VerifyPlace {
  const path = resolve(given)
  if (!existsSync(path)) throw nothingAt(given)
  if (existsSync(join(path, EVIDENCE_FILE)) || existsSync(join(path, 'manifest.json'))) return recordingAt(path)
  const day = DAY.exec(path)?.slice(1).join('/')
  const root = day === undefined ? path : resolve(path, '../../..')
  const all = day === undefined ? daysOf(root) : [day]
  const days = chainDays(root)
  if (all.length === 0) throw nothingAt(given)
  const found = all.flatMap((one) => recordingsOf(root, one))
  const about = {
    root,
    folders: found.filter((folder) => !OPEN.test(folder)),
    open: found.filter((folder) => OPEN.test(folder)).map((folder) => folder.replace(OPEN, '')),
  }
  if (day === undefined) return { scope: 'store', ...about, days }
  // The line before the day's first stands in another day, and so do those of recordings that ended, or were deleted, later.
  const before = days.filter((one) => one < day).slice(-1)
  return { scope: 'day', day, ...about, days: [...before, ...days.filter((one) => one >= day)] }
}

function recordingAt(path: string): VerifyPlace {
  const isStored = DAY.test(dirname(path))
  const root = isStored ? resolve(path, '../../../..') : dirname(path)
  const folder = isStored ? `${DAY.exec(dirname(path))!.slice(1).join('/')}/${basename(path)}` : basename(path)
  const days = isStored ? undefined : existsSync(join(root, CHAIN_FILE)) ? ['.'] : []
  return { scope: 'recording', root, folders: [folder], open: [], days }
}

function recordingsOf(root: string, day: string): string[] {
  return readdirSync(join(root, day), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${day}/${entry.name}`)
    .sort()
}

function nothingAt(path: string): AppError {
  const verdict = { result: 'client', reason: 'nothing-to-verify' } as const
  return new AppError('store.nothing-to-verify', `${path}: no store, day or recording`, verdict)
}
