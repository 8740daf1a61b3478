// The recorder role: a SIPREC recording server over a store of folders and its catalogue.

import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { env } from 'node:process'
import type { LiveSessionsView, RecorderClientsView, RecordingsView } from '#control'
import { AppError, type Clock, type Logger, messageOf } from '#kernel'
import type { BoundListener } from '#net'
import {
  ACCEPTED_TYPES,
  createRecordingServer,
  ffmpegDecoder,
  type RecordingServer,
  RefusedInvitations,
  rehearse,
  startRecordMedia,
} from '#recording-server'
import {
  type ClosedFolder,
  createDeriver,
  type Deriver,
  isSealedStore,
  JournaledCatalogue,
  leftFolders,
  Notary,
  type NotaryOptions,
  openS3,
  plainFiles,
  type RecordingFiles,
  type RecordingLibrary,
  RecordingStore,
  recoverRecordings,
  Vault,
  type VaultOptions,
} from '#store'
import { AlarmBoard } from './alarm-board.ts'
import { openAdmission } from './client-admission.ts'
import { clientPolicies } from './client-policies.ts'
import type { Environment } from './config.ts'
import type { RecorderConfig } from './config-schema.ts'
import type { LibrarySettings } from './library/library-room.ts'
import { LibraryThread } from './library/library-thread.ts'
import { createLiveSessionsView } from './live-sessions-view.ts'
import { createRecorderClientsView } from './recorder-clients-view.ts'
import { createRecordingsView } from './recordings-view.ts'
import { openSipRole, type Surroundings } from './sip-role.ts'
import { uploadSettings } from './upload-settings.ts'

/** A running recorder. */
export interface Recorder {
  readonly listeners: readonly BoundListener[]
  readonly server: RecordingServer
  readonly recordings: RecordingsView
  readonly clients: RecorderClientsView
  readonly sessions: LiveSessionsView
  /** The alarms that stand now. */
  readonly alarmBoard: AlarmBoard
  /** Search, tags, holds and deletion; rejects with AppError `store.catalogue` while the database is away. */
  readonly library: RecordingLibrary
  /** Reads the certificates anew; those that cannot be used leave the old ones in force. */
  renewTls(): Promise<void>
  /** Refuses new sessions and waits for those under way. */
  drain(): Promise<void>
  /** Ends and publishes what is under way, then closes everything. */
  close(): Promise<void>
}

/** For the last lines of the indexes of all streams there can be. */
const MINUTE_MS = 60_000
const RESERVE_BYTES = 4 * 2 ** 20

/** Exists while the catalogue lacks rows, so that the next start rebuilds it. */
const staleFile = 'catalogue.stale'

/** Opens the recorder: recovers what a crash left open, then listens. */
export async function openRecorder(config: RecorderConfig, around: Surroundings): Promise<Recorder> {
  const { clock, ids } = around
  const log = around.log.child({ role: 'recorder' })
  const { folder, keepDigits, archive, flushMs, sync, bufferBytes, minFreeBytes, resumeSeconds } = config.store
  const { admit, authenticate } = await openAdmission(config, undefined, (host) =>
    log.warn('address refused: too many wrong passwords', { host }),
  )
  await mkdir(folder, { recursive: true })
  const evidence = notaryOptions(config)
  const notary = evidence && (await Notary.open(evidence, () => clock.wallMs()))
  const encryption = vaultOptions(config)
  const files = encryption === undefined ? plainStore(folder) : Vault.checked(encryption)
  const store = new RecordingStore({ root: folder, leastFreeBytes: minFreeBytes, files })
  const settings = librarySettings(config)
  const uploaded = settings.upload && openS3(settings.upload.s3)
  const library = new LibraryThread(settings, log)
  const catalogue = openJournal(store, library, around.clock, log)
  const left = leftFolders(folder, files)
  const { host, advertisedHost, portMin, portMax, srtp, kinds } = config.media
  const storage = { flushMs, sync, bufferBytes, leastFreeBytes: minFreeBytes, reserveBytes: RESERVE_BYTES }
  const starting = startRecordMedia({
    root: folder,
    host,
    address: advertisedHost ?? host,
    inactiveAlarmMs: config.inactiveAlarmMinutes * MINUTE_MS,
    portMin,
    portMax,
    keepDigits,
    storage,
    archive,
    ...(evidence && { evidence }),
    ...(encryption && { encryption }),
  }).catch(async (fault: unknown) => {
    await catalogue.close()
    throw fault
  })
  // While the other thread starts: the first invitation finds this one warm.
  rehearse()
  const media = await starting
  const refusals = new RefusedInvitations('recorder', clock)
  const server = createRecordingServer({
    media,
    address: advertisedHost ?? host,
    store,
    catalogue,
    clock,
    ids,
    log,
    srtp: { ...srtp, keepsKeys: keepsKeys(config) },
    kinds,
    maxSessions: config.maxSessions,
    keepRawMetadata: config.store.keepDocuments,
    policyFor: clientPolicies(config),
    refusals,
  })
  const alarmBoard = new AlarmBoard(server.events)
  const closed = await server.resume(left, 1000 * resumeSeconds)
  const closeStore = async (): Promise<void> => {
    refusals.close()
    await media.close()
    await catalogue.close()
    notary?.close()
  }
  try {
    const role = await openSipRole(
      {
        name: 'recorder',
        sip: config.sip,
        contactUser: 'srs',
        contactParams: '+sip.srs',
        supported: ['siprec', 'timer', '100rel'],
        allow: ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'PRACK', 'UPDATE'],
        accept: ACCEPTED_TYPES,
        admit,
        ...(authenticate && { authenticate }),
        onRefused: (callId, reason) => refusals.explain(callId, reason),
        isAvailable: () => server.isAvailable,
        isTolerant: true,
        handlers: server.handlers,
      },
      around,
    )
    server.attach(role.core)
    await recover(
      store,
      catalogue,
      closed,
      await createDeriver({ archive, external: ffmpegDecoder(), files }),
      notary,
      log,
    )
    return {
      listeners: role.listeners,
      server,
      recordings: createRecordingsView({
        store,
        catalogue,
        library,
        evidence: library,
        clock,
        ...(uploaded && { uploaded }),
      }),
      sessions: createLiveSessionsView(server),
      alarmBoard,
      clients: createRecorderClientsView({ server, refusals, store, catalogue, invite: config.invite }),
      library,
      renewTls: () => role.renewTls(),
      drain: () => server.drain(),
      close: async () => {
        await server.stop()
        await role.close()
        await closeStore()
      },
    }
  } catch (fault) {
    await closeStore()
    throw fault
  }
}

/** What the library of a recorder is opened with. */
export function librarySettings({ store }: RecorderConfig, environment: Environment = env): LibrarySettings {
  const { folder, name, database, retention } = store
  const evidence = notaryOptions({ store })
  const encryption = vaultOptions({ store })
  const upload = store.upload && uploadSettings(store.upload, environment)
  return {
    folder,
    name,
    retention,
    ...(database !== undefined && { database }),
    ...(upload && { upload }),
    ...(evidence && { evidence }),
    ...(encryption && { encryption }),
  }
}

/** Whether the keys of SRTP may lie on the disk while a session is under way. */
function keepsKeys({ store }: RecorderConfig): boolean {
  return store.resumeSrtp === 'always' || (store.resumeSrtp === 'encrypted' && store.encryption !== undefined)
}

/** What recordings are vouched for with; undefined where they are not. */
function notaryOptions({ store }: Pick<RecorderConfig, 'store'>): NotaryOptions | undefined {
  return store.evidence && { root: store.folder, keyFile: store.evidence.keyFile }
}

/** What recordings are encrypted with; undefined where they are not. */
export function vaultOptions({ store }: Pick<RecorderConfig, 'store'>): VaultOptions | undefined {
  return store.encryption && { root: store.folder, keyFile: store.encryption.keyFile }
}

/** Files as they are; throws AppError `store.encryption-key` where the store holds encrypted ones. */
function plainStore(root: string): RecordingFiles {
  if (!isSealedStore(root)) return plainFiles
  const verdict = { result: 'client', reason: 'bad-key' } as const
  throw new AppError(
    'store.encryption-key',
    `${root} holds encrypted recordings: recorder.store.encryption is missing`,
    verdict,
  )
}

/** A database that is away delays no start and no recording: rows wait in the journal. */
function openJournal(store: RecordingStore, library: LibraryThread, clock: Clock, log: Logger): JournaledCatalogue {
  const path = join(store.root, staleFile)
  return new JournaledCatalogue({ target: library, staleFile: path, isStale: existsSync(path), clock, log })
}

/** The folders are the truth: what a crash left open, and nobody goes on with, is closed; what arrives meanwhile has its turn in between. */
async function recover(
  store: RecordingStore,
  catalogue: JournaledCatalogue,
  folders: readonly ClosedFolder[],
  derive: Deriver,
  notary: Notary | undefined,
  log: Logger,
): Promise<void> {
  for (const folder of folders) {
    const { recovered, failures } = await recoverRecordings(store, catalogue, derive, [folder], notary)
    for (const { cause } of failures) log.error('recording could not be recovered', { cause: messageOf(cause) })
    for (const { recordingId, durationMs } of recovered) log.warn('recording recovered', { recordingId, durationMs })
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}
