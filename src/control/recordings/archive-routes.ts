// GET /api/recordings/archive: recordings with all that belongs to them in one tar, written as the client takes it; nothing is put on disk or kept in memory.

import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { createTarPacker } from 'modern-tar'
import { Type } from 'typebox'
import { type Logger, messageOf } from '#kernel'
import { allows } from '../access/scopes.ts'
import type { AuditLog } from '../audit/audit-log.ts'
import type { HttpApp } from '../http-app.ts'
import { HttpError } from '../http-error.ts'
import { file, operation } from '../operation.ts'
import type { ArchivePart, RecordingsView } from '../views.ts'
import { type RecordingSummary, recordingParams } from './recording-contract.ts'
import { filterOf, filterQuery } from './recording-search.ts'

/** Recordings in one archive. */
const MOST_RECORDINGS = 1000
const MOST_NAMED = 200
/** Archives that are written at a time: each reads the disk as fast as its client takes it. */
const MOST_AT_ONCE = 4
const PAGE = 200
const INDEX = 'index.json'

const archiveQuery = Type.Object(
  {
    ...filterQuery.properties,
    recording: Type.Optional(
      Type.Array(recordingParams.properties.recordingId, {
        maxItems: MOST_NAMED,
        description: 'ids of recordings; no other condition counts then',
      }),
    ),
  },
  { additionalProperties: false },
)

const archiveRecordings = operation(
  {
    id: 'archiveRecordings',
    summary: 'Recordings with audio, metadata, manifest, ledger, vCon and evidence, as a tar',
    description: `Up to ${MOST_RECORDINGS} recordings, those named or those that match; more is 413. A folder for each, and ${INDEX} last, which says what became of each. Encrypted recordings are in clear for those who have recordings:decrypt, else as they are stored. Each recording is in the audit log before its first byte leaves.`,
    tag: 'recordings',
    scope: 'recordings:play',
    audit: { action: 'recording.archive', isStrict: true },
  },
  { querystring: archiveQuery, response: { 200: file('the archive', 'application/x-tar') } },
)

/** What the archives are made with. */
export interface ArchiveOptions {
  readonly recordings: RecordingsView
  readonly audit: AuditLog | undefined
  readonly log: Logger
}

/** What became of a recording, as the index of the archive says it. */
interface Archived {
  readonly recordingId: string
  readonly folder?: string
  /** Why it is not there. */
  readonly skipped?: string
  readonly isInClear?: boolean
  readonly recording?: RecordingSummary
}

/** Adds the route. */
export function archiveRoutes(app: HttpApp, options: ArchiveOptions): void {
  const { recordings, log } = options
  let underWay = 0
  app.get('/api/recordings/archive', archiveRecordings, async (request, reply) => {
    if (underWay >= MOST_AT_ONCE) throw new HttpError(429, 'archives-under-way', 'too many archives are being written')
    underWay++
    const ids = await wanted(recordings, request.query).catch((fault: unknown) => {
      underWay--
      throw fault
    })
    const mayDecrypt = allows(request.principal?.scopes ?? [], 'recordings:decrypt')
    const { readable, controller } = createTarPacker()
    const body = Readable.fromWeb(readable as Parameters<typeof Readable.fromWeb>[0])
    body.once('close', () => underWay--)
    const links = `${request.protocol}://${request.host}`
    const write = async (): Promise<void> => {
      for await (const part of partsOf(ids, { ...options, request, mayDecrypt, links })) {
        const { name, sizeBytes, modifiedMs } = part
        const writer = controller
          .add({
            name,
            size: sizeBytes,
            type: 'file',
            ...(modifiedMs !== undefined && { mtime: new Date(modifiedMs) }),
          })
          .getWriter()
        // The writer may fail while we wait for the disk, when the client has gone.
        writer.closed.catch(() => {})
        for await (const chunk of part.open()) await writer.write(chunk)
        await writer.close()
      }
      controller.finalize()
    }
    write().catch((fault: unknown) => {
      if (!body.destroyed) log.warn('an archive of recordings broke off', { reason: messageOf(fault) })
      // Without the end of the archive the client sees that it is not whole.
      body.destroy(fault instanceof Error ? fault : new Error(messageOf(fault)))
    })
    reply.type('application/x-tar').header('content-disposition', 'attachment; filename="recordings.tar"')
    return reply.send(body)
  })
}

/** The ids of the recordings that are asked for; throws HttpError 413 for too many. */
async function wanted(
  recordings: RecordingsView,
  { recording, ...filter }: Parameters<typeof filterOf>[0] & { readonly recording?: string[] },
): Promise<string[]> {
  if (recording !== undefined) return [...new Set(recording)]
  const conditions = filterOf(filter)
  const count = await recordings.count(conditions, MOST_RECORDINGS + 1)
  if (count > MOST_RECORDINGS) {
    throw new HttpError(413, 'too-many-recordings', `more than ${MOST_RECORDINGS} recordings match; ask for fewer`)
  }
  const ids: string[] = []
  for (let page = await recordings.search({ ...conditions, limit: PAGE }); ; ) {
    ids.push(...page.items.map(({ recordingId }) => recordingId))
    if (page.next === undefined || ids.length >= MOST_RECORDINGS) return ids.slice(0, MOST_RECORDINGS)
    page = await recordings.search({ ...conditions, limit: PAGE, after: page.next })
  }
}

interface Writing extends ArchiveOptions {
  readonly request: FastifyRequest
  readonly mayDecrypt: boolean
  /** What links within the archive begin with. */
  readonly links: string
}

async function* partsOf(ids: readonly string[], writing: Writing): AsyncGenerator<ArchivePart> {
  const { recordings, mayDecrypt, links } = writing
  const index: Archived[] = []
  for (const recordingId of ids) {
    const archive = await recordings.archive(recordingId, {
      mayDecrypt,
      audioUrl: `${links}/api/recordings/${recordingId}/audio`,
    })
    if (archive === undefined) {
      index.push({ recordingId, skipped: 'unknown, deleted, still being received, or with another recorder' })
      continue
    }
    await note(writing, recordingId, archive.isInClear)
    const folder = `${archive.recording.startedAt.replace(/[-:]|\.\d+/g, '')}_${recordingId}`
    for await (const part of archive.parts()) yield { ...part, name: `${folder}/${part.name}` }
    index.push({ recordingId, folder, isInClear: archive.isInClear, recording: archive.recording })
  }
  const content = Buffer.from(`${JSON.stringify(index, null, 2)}\n`)
  yield { name: INDEX, sizeBytes: content.length, open: () => Readable.from([content]) }
}

/** Rejects when the entry cannot be written: what is not in the audit log does not leave. */
async function note({ audit, request }: Writing, recordingId: string, isInClear: boolean): Promise<void> {
  const { kind = 'none', name = '', id = '' } = request.principal ?? {}
  await audit?.append({
    who: { kind, name, id },
    from: request.ip,
    action: 'recording.export',
    target: { recordingId },
    detail: { as: 'archive', isInClear },
    outcome: 'done',
    status: 200,
  })
}
