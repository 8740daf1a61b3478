// Entry of the spool worker thread: its sockets and its files, away from the call and from the relay of live audio.

import { parentPort, workerData } from 'node:worker_threads'
import { AppError, invariant, messageOf } from '#kernel'
import { cryptoIds, systemClock } from '#net'
import type { SpoolOptions, SpoolReply, SpoolRequest } from './spool-messages.ts'
import { SpoolRoom } from './spool-room.ts'

const port = parentPort
invariant(port !== null, 'runs as a worker thread')

const reply = (message: SpoolReply): void => port.postMessage(message)
const room = new SpoolRoom(workerData as SpoolOptions, {
  clock: systemClock,
  ids: cryptoIds,
  onEvent: (event) => reply({ kind: 'event', event }),
})

async function serve({ requestId, command }: SpoolRequest): Promise<void> {
  try {
    reply({ kind: 'done', requestId, value: await room.handle(command) })
    if (command.type === 'stop') port?.close()
  } catch (thrown) {
    const code = thrown instanceof AppError ? thrown.code : 'spool.disk'
    reply({ kind: 'failed', requestId, code, message: messageOf(thrown) })
  }
}

// One after another: a command may wait for sockets, and those behind it count on it.
let queue: Promise<void> = Promise.resolve()
port.on('message', (request: SpoolRequest) => {
  queue = queue.then(() => serve(request))
})
reply({ kind: 'ready' })
