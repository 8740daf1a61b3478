// Entry of the library thread: searches, deletions and whatever else of the store may take its time, away from SIP.

import { parentPort, workerData } from 'node:worker_threads'
import { AppError, invariant, type LogFields, type Logger, messageOf } from '#kernel'
import { systemClock } from '#net'
import type { LibraryReply, LibraryRequest } from './library-messages.ts'
import { LibraryRoom, type LibrarySettings } from './library-room.ts'

const port = parentPort
invariant(port !== null, 'runs as a worker thread')

const reply = (message: LibraryReply): void => port.postMessage(message)
const room = new LibraryRoom(workerData as LibrarySettings, { clock: systemClock, log: remoteLogger({}) })

port.on('message', async ({ requestId, method, args }: LibraryRequest) => {
  try {
    const call = room[method] as (...args: unknown[]) => Promise<unknown>
    reply({ kind: 'done', requestId, value: await call.apply(room, [...args]) })
    if (method === 'close') port.close()
  } catch (thrown) {
    const code = thrown instanceof AppError ? thrown.code : 'store.catalogue'
    reply({ kind: 'failed', requestId, code, message: messageOf(thrown) })
  }
})

function remoteLogger(bound: LogFields): Logger {
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: LogFields = {}): void =>
      reply({ kind: 'log', level, message, fields: { ...bound, ...fields } })
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => remoteLogger({ ...bound, ...fields }),
  }
}
