// The recorder role: a SIPREC recording server over a store of folders and its catalogue.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { RecordingsView } from '#control'
import { type Logger, messageOf } from '#kernel'
import type { BoundListener } from '#net'
import { ACCEPTED_TYPES, createRecordingServer, type RecordingServer, startRecordMedia } from '#recording-server'
import {
  type Catalogue,
  createDeriver,
  type Deriver,
  openSqliteCatalogue,
  RecordingStore,
  rebuildCatalogue,
  recoverRecordings,
} from '#store'
import type { RecorderConfig } from './config-schema.ts'
import { admission } from './gateway.ts'
import { createRecordingsView } from './recordings-view.ts'
import { openSipRole, type Surroundings } from './sip-role.ts'

/** A running recorder. */
export interface Recorder {
  readonly listeners: readonly BoundListener[]
  readonly server: RecordingServer
  readonly recordings: RecordingsView
  /** Reads the certificates anew; those that cannot be used leave the old ones in force. */
  renewTls(): Promise<void>
  /** Refuses new sessions and waits for those under way. */
  drain(): Promise<void>
  /** Ends and publishes what is under way, then closes everything. */
  close(): Promise<void>
}

const catalogueFile = 'catalogue.sqlite'

/** Opens the recorder: recovers what a crash left open, then listens. */
export async function openRecorder(config: RecorderConfig, around: Surroundings): Promise<Recorder> {
  const { clock, ids } = around
  const log = around.log.child({ role: 'recorder' })
  const { folder, keepDigits, archive, flushMs, sync, bufferBytes, minFreeBytes } = config.store
  await mkdir(folder, { recursive: true })
  const store = new RecordingStore({ root: folder, leastFreeBytes: minFreeBytes })
  const catalogue = await openCatalogue(store, log, await createDeriver({ archive }))
  const { host, advertisedHost, portMin, portMax, srtp } = config.media
  const storage = { flushMs, sync, bufferBytes }
  const media = await startRecordMedia({ root: folder, host, portMin, portMax, keepDigits, storage, archive })
  const server = createRecordingServer({
    media,
    address: advertisedHost ?? host,
    store,
    catalogue,
    clock,
    ids,
    log,
    srtp,
    maxSessions: config.maxSessions,
  })
  const closeStore = async (): Promise<void> => {
    await media.close()
    await catalogue.close()
  }
  try {
    const role = await openSipRole(
      {
        name: 'recorder',
        sip: config.sip,
        contactUser: 'srs',
        contactParams: '+sip.srs',
        supported: ['siprec', 'timer'],
        allow: ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'UPDATE'],
        accept: ACCEPTED_TYPES,
        admit: admission(config.sources),
        isAvailable: () => server.isAvailable,
        isTolerant: true,
        handlers: server.handlers,
      },
      around,
    )
    server.attach(role.core)
    return {
      listeners: role.listeners,
      server,
      recordings: createRecordingsView(store, catalogue),
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

/** The folders are the truth: what a crash left open is closed first, and an empty catalogue is built anew from them. */
async function openCatalogue(store: RecordingStore, log: Logger, derive: Deriver): Promise<Catalogue> {
  const catalogue = await openSqliteCatalogue(join(store.root, catalogueFile))
  const { recovered, failures } = await recoverRecordings(store, catalogue, derive)
  for (const { cause } of failures) log.error('recording could not be recovered', { cause: messageOf(cause) })
  for (const { recordingId, durationMs } of recovered) log.warn('recording recovered', { recordingId, durationMs })
  if ((await catalogue.count({})) === 0) await rebuildCatalogue(store, catalogue)
  return catalogue
}
