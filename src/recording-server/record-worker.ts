// Entry of the record worker thread: RTP sockets, timelines and files of recordings (design: "record" workers).

import { parentPort, workerData } from 'node:worker_threads'
import { loadOpusLibrary } from '#audio'
import { PortPool } from '#engine'
import { AppError, invariant, messageOf } from '#kernel'
import { cryptoIds, socketsRead, systemClock } from '#net'
import { Vault } from '#store'
import { DeriveThread } from './derive-thread.ts'
import type { RecordReply, RecordRequest, RecordWorkerOptions } from './record-messages.ts'
import { RecordRoom } from './record-room.ts'

/** Longer than a turn of the event loop, in which sockets are read. */
const CATCH_UP_MS = 20

const port = parentPort
invariant(port !== null, 'runs as a worker thread')

const {
  root,
  keepDigits,
  host,
  portMin,
  portMax,
  storage,
  archive = 'none',
  evidence,
  encryption,
  address = host,
  inactiveAlarmMs,
} = workerData as RecordWorkerOptions
const reply = (message: RecordReply): void => port.postMessage(message)
const deriving = new DeriveThread({ archive, ...(evidence && { evidence }), ...(encryption && { encryption }) })
const room = new RecordRoom({
  root,
  keepDigits,
  address,
  ...(inactiveAlarmMs !== undefined && { inactiveAlarmMs }),
  loadOpus: loadOpusLibrary,
  ...(storage === undefined ? {} : { storage }),
  clock: systemClock,
  ids: cryptoIds,
  ports: new PortPool({ host, portMin, portMax, clock: systemClock, randomInteger: cryptoIds.integer }),
  derive: deriving.derive,
  ...(evidence && { attest: deriving.attest }),
  ...(encryption && { files: new Vault(encryption) }),
  socketsRead,
  caughtUp: async () => {
    await new Promise<void>((resolve) => void systemClock.after(CATCH_UP_MS, 'caught-up', resolve))
    // A thread that slept runs its timers before it reads its sockets.
    await socketsRead()
  },
  onEvent: (event) => reply({ kind: 'event', event }),
})

async function serve({ requestId, command }: RecordRequest): Promise<void> {
  try {
    reply({ kind: 'done', requestId, value: await room.handle(command) })
    if (command.type === 'stop') {
      await deriving.close()
      port?.close()
    }
  } catch (thrown) {
    const code = thrown instanceof AppError ? thrown.code : 'recorder.disk'
    reply({ kind: 'failed', requestId, code, message: messageOf(thrown) })
  }
}

// One after another for each recording: a command may wait for sockets or the disk, and those behind it count on it.
const queues = new Map<string, Promise<void>>()
port.on('message', (request: RecordRequest) => {
  const { command } = request
  const key = 'recordingId' in command ? command.recordingId : ''
  const queue = (queues.get(key) ?? Promise.resolve()).then(() => serve(request))
  queues.set(key, queue)
  void queue.then(() => {
    if (queues.get(key) === queue) queues.delete(key)
  })
})
reply({ kind: 'ready' })
