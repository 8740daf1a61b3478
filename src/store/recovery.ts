// What to do with folders that a dead recorder left open: close them, mark them, publish what they hold.

import { existsSync, readdirSync, rmdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Deriver, plainDeriver } from './derived/deriver.ts'
import type { Notary } from './evidence/notary.ts'
import { msOfIsoTime } from './iso-time.ts'
import {
  type AlarmEntry,
  type Manifest,
  type NotResumed,
  type OtherSource,
  parseManifest,
  type RunManifest,
  type StreamManifest,
} from './manifest.ts'
import { readRawRun } from './raw-run-file.ts'
import {
  ALARMS_FILE,
  audioOf,
  endOf,
  HISTORY_FILE,
  INDICES_FILE,
  MANIFEST_FILE,
  nameSettled,
  OPEN_SUFFIX,
  removePassing,
  removeSession,
  SESSION_FILE,
  settleFolder,
} from './recording-folder.ts'
import { RunTime } from './run-time.ts'
import { plainFiles, type RecordingFiles } from './sealing/recording-files.ts'
import { g711FormatOf, type StreamLeft } from './stream-files.ts'
import { type IndexedStream, streamFromIndex } from './stream-index.ts'
import { tidyTimes } from './tidy-times.ts'
import { repairWavHeader } from './wav-run-file.ts'

/** Of a packet whose codec we do not read. */
const USUAL_PACKET_MS = 20
/** Files that grow while a recording is received. */
const GROWING = /^stream-/

/** A recording brought to its end. */
export interface Recovered {
  readonly manifest: Manifest
  readonly folder: string
}

/** A folder that could not be recovered; it is left as it is, without keys of its session. */
export interface RecoveryFailure {
  readonly folder: string
  readonly cause: unknown
}

/** A folder that a dead recorder left open. */
export interface LeftFolder {
  readonly folder: string
  /** Undefined if it cannot be read. */
  readonly manifest: Manifest | undefined
  /** What its session file holds; undefined without one, and where it cannot be read. */
  readonly session: unknown
  readonly isSessionUnreadable: boolean
  /** Packet indices of secured streams, by channel; undefined without any, and where they cannot be read. */
  readonly indices: unknown
  /** When anything in it was written last, ms since 1970. */
  readonly touchedAtMs: number
}

/** The folders left open under `root`. To be called before anything is recorded there. */
export function leftFolders(root: string, files: RecordingFiles = plainFiles): LeftFolder[] {
  return openFoldersIn(root).map((folder) => {
    const touched = readdirSync(folder).map((name) => statSync(join(folder, name)).mtimeMs)
    const manifest = manifestOf(files, folder, readIf(files, join(folder, MANIFEST_FILE), parseManifest))
    const parse = (text: string): unknown => JSON.parse(text)
    const session = readIf(files, join(folder, SESSION_FILE), parse)
    const isSessionUnreadable = session === undefined && existsSync(join(folder, SESSION_FILE))
    const indices = readIf(plainFiles, join(folder, INDICES_FILE), parse)
    return { folder, manifest, session, isSessionUnreadable, indices, touchedAtMs: Math.max(0, ...touched) }
  })
}

/** A manifest with the alarms that came after it was written. */
function manifestOf(files: RecordingFiles, folder: string, manifest: Manifest | undefined): Manifest | undefined {
  const alarms = readIf(files, join(folder, ALARMS_FILE), (text) => JSON.parse(text) as readonly AlarmEntry[])
  return manifest && Array.isArray(alarms) ? { ...manifest, alarms } : manifest
}

function readIf<T>(files: RecordingFiles, path: string, parse: (text: string) => T): T | undefined {
  try {
    return parse(files.read(path).toString())
  } catch {
    return undefined
  }
}

/** A folder that nobody goes on with, and why, where that was tried. */
export interface ClosedFolder {
  readonly folder: string
  readonly notResumed?: NotResumed
}

/** Recovers folders left open, every one under `root` unless told. */
export async function recoverOpenFolders(
  root: string,
  derive: Deriver = plainDeriver,
  folders: readonly ClosedFolder[] = openFoldersIn(root).map((folder) => ({ folder })),
  notary?: Notary,
  files: RecordingFiles = plainFiles,
): Promise<{ recovered: Recovered[]; failures: RecoveryFailure[] }> {
  const recovered: Recovered[] = []
  const failures: RecoveryFailure[] = []
  for (const closed of folders) {
    try {
      if (readdirSync(closed.folder).length === 0) {
        // The recorder or its machine died before there was anything.
        rmdirSync(closed.folder)
        continue
      }
      recovered.push(await recoverFolder(closed, derive, notary, files))
    } catch (cause) {
      failures.push({ folder: closed.folder, cause })
    }
  }
  return { recovered, failures }
}

function openFoldersIn(root: string): string[] {
  return recordingFolders(root).filter((path) => path.endsWith(OPEN_SUFFIX))
}

/** Every recording's folder under `root`, open ones included, oldest day first. */
export function recordingFolders(root: string): string[] {
  let folders = [root]
  for (const name of [/^\d{4}$/, /^\d\d$/, /^\d\d$/, /^[A-Za-z0-9-]{1,64}(\.open)?$/]) {
    folders = folders.flatMap((folder) =>
      existsSync(folder)
        ? readdirSync(folder, { withFileTypes: true })
            .filter((entry) => entry.isDirectory() && name.test(entry.name))
            .map((entry) => join(folder, entry.name))
            .sort()
        : [],
    )
  }
  return folders
}

async function recoverFolder(
  { folder, notResumed }: ClosedFolder,
  derive: Deriver,
  notary: Notary | undefined,
  files: RecordingFiles,
): Promise<Recovered> {
  const open = manifestOf(files, folder, parseManifest(files.read(join(folder, MANIFEST_FILE)).toString()))
  if (open === undefined) {
    removeSession(folder)
    throw new Error('manifest.json is not readable')
  }
  // Nothing of what was vouched for may change: it lacks only its name.
  if (notary?.isAttested(folder) === true) return { manifest: open, folder: await nameSettled(folder) }
  removePassing(folder)
  const streams = streamsLeft(folder, open, files)
  for (const name of readdirSync(folder)) if (GROWING.test(name)) files.finish(join(folder, name))
  files.finish(join(folder, HISTORY_FILE))
  const durationMs = Math.max(0, ...streams.flatMap((stream) => [stream.endMs, endMsOf(stream)]))
  const end = endOf(msOfIsoTime(open.startedAt) + durationMs, durationMs)
  const padded = streams.map(({ endMs, ...stream }) => {
    return tidyTimes(accountedFor(stream, endMs, durationMs), end.durationMs)
  })
  const manifest: Manifest = {
    ...open,
    recovered: true,
    ...(notResumed && { notResumed }),
    ...end,
    ...(await audioOf({ folder, streams: padded, durationMs }, 'no-rtp', derive)),
    streams: padded,
  }
  const attest = notary && ((path: string) => notary.attest(path))
  return { manifest, folder: await settleFolder(folder, manifest, attest, files) }
}

/** The streams of a folder left open, by channel, as its files tell; headers are repaired. */
export function streamsLeft(folder: string, open: Manifest, files: RecordingFiles = plainFiles): StreamLeft[] {
  const indexed = readdirSync(folder)
    .filter((name) => name.endsWith('.index.jsonl'))
    .flatMap((name) => streamFromIndex(files.read(join(folder, name)).toString()) ?? [])
    .map((stream) => withFiles(folder, open, stream, files))
    .map((stream) => endedAt(stream, Math.max(leftEndMs(folder, stream, files), forsakenEndMs(stream))))
  return indexed
    .filter(({ source }) => source === undefined)
    .sort((a, b) => a.channel - b.channel)
    .map((stream) => {
      const others = indexed.flatMap(({ source, ...other }) =>
        source !== undefined && other.channel === stream.channel ? [{ ...source, left: other }] : [],
      )
      return others.length === 0 ? stream : { ...stream, others: others.sort(byNumber).map(asOther) }
    })
}

/** The index may have got further than the audio. */
function endedAt(stream: IndexedStream, endMs: number): IndexedStream & StreamLeft {
  stream.ledger.cut(endMs)
  return { ...stream, gaps: stream.ledger.gaps, endMs }
}

/** What the process before heard of another source; in a recording that goes on it is over. */
function asOther({ ssrc, left }: { readonly ssrc: number; readonly left: StreamLeft }): OtherSource {
  const { runs, gaps, totals } = left
  return { ssrc, runs, gaps, totals }
}

function byNumber(a: { readonly number: number }, b: { readonly number: number }): number {
  return a.number - b.number
}

/** Recording time at which the last run that holds anything ends. */
function leftEndMs(folder: string, { runs }: Pick<StreamManifest, 'runs'>, files: RecordingFiles): number {
  return runs.reduceRight<number | undefined>((endMs, run) => endMs ?? heldUpTo(folder, run, files), undefined) ?? 0
}

/** Where a run ends, undefined if nothing of it reached its file: what is before it may be in no ledger. */
function heldUpTo(folder: string, run: RunManifest, files: RecordingFiles): number | undefined {
  const time = new RunTime(run)
  if (run.decoded) return run.bytes === 0 ? undefined : time.msOf(run.bytes)
  let endMs: number | undefined
  for (const { position } of readRawRun(join(folder, run.file), run, files))
    endMs = time.msOf(position) + USUAL_PACKET_MS
  return endMs
}

/** Up to where the index tells of audio that a full disk did not take: it stands behind all that the files hold. */
function forsakenEndMs({ gaps }: Pick<StreamManifest, 'gaps'>): number {
  return Math.max(0, ...gaps.filter(({ cause }) => cause === 'disk').map(({ toMs }) => toMs))
}

/** Gives the runs the sizes that the files really have, and repairs their headers. */
function withFiles(folder: string, open: Manifest, stream: IndexedStream, files: RecordingFiles): IndexedStream {
  const participants = open.facts.speakers[stream.channel] ?? []
  const runs = stream.runs
    .filter((run) => existsSync(join(folder, run.file)))
    .map((run): RunManifest => {
      const path = join(folder, run.file)
      const format = g711FormatOf(run.encoding)
      const isWav = run.decoded && format !== undefined
      return { ...run, bytes: isWav ? repairWavHeader(path, format, run.clockRateHz, files) : sizeOf(files, path) }
    })
  return { ...stream, participants, runs }
}

function sizeOf(files: RecordingFiles, path: string): number {
  const file = files.open(path)
  file.close()
  return file.size
}

function endMsOf(stream: StreamManifest | OtherSource): number {
  const ends = stream.runs.map((run) => (run.decoded ? new RunTime(run).msOf(run.bytes) : run.startMs))
  const others = 'others' in stream ? (stream.others ?? []).map(endMsOf) : []
  return Math.max(0, stream.totals.lastPacketMs ?? 0, forsakenEndMs(stream), ...ends, ...others)
}

/** The stream with the time behind its end in the ledger; what is no gap is audio, as every silence that was written is one. */
function accountedFor(
  { ledger, ...stream }: Omit<StreamLeft, 'endMs'>,
  fromMs: number,
  durationMs: number,
): StreamManifest {
  ledger.add({ fromMs, toMs: durationMs, cause: stream.runs.length > 0 ? 'recorder-restart' : 'no-rtp-yet' })
  const { gaps, missingMs } = ledger
  const silentMs = Object.values(missingMs).reduce((sum, ms) => sum + ms, 0)
  return { ...stream, gaps, account: { audioMs: Math.max(0, durationMs - silentMs), missingMs } }
}
