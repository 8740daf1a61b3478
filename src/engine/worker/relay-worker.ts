// Entry of a relay worker thread: all packets of its calls, no disk, nothing but commands and events on the port.

import { parentPort, workerData } from 'node:worker_threads'
import { loadOpus } from '#audio'
import { AppError, invariant, messageOf, seededIds } from '#kernel'
import { CopyQueue, clockBehindCopies, SourceIds } from '#media'
import { PortPool } from '../port-pool.ts'
import { CallRoom } from './call-room.ts'
import type { CallCommand, FromWorker, RelayWorkerSettings, ToWorker, WorkerCensus } from './protocol.ts'
import { workerClock } from './worker-clock.ts'
import type { WorkerContext } from './worker-context.ts'

const SWEEP_EVERY_MS = 250
const RANDOM_STEPS = 2 ** 32

invariant(parentPort !== null, 'a relay worker runs in a thread')
const port = parentPort
const settings = workerData as RelayWorkerSettings
const ids = seededIds(settings.seed)
// An immediate comes when every socket that had packets has been read.
const copies = new CopyQueue((turn) => void setImmediate(turn))
// Loaded before there are calls, which would hear this thread stand still meanwhile.
const opus = settings.hasOpus ? await loadOpus() : undefined
const context: WorkerContext = {
  clock: workerClock,
  copies,
  copyClock: clockBehindCopies(workerClock, copies, postFault),
  pool: new PortPool({
    host: settings.host,
    portMin: settings.portMin,
    portMax: settings.portMax,
    clock: workerClock,
    randomInteger: (below) => ids.integer(below),
  }),
  sourceIds: new SourceIds(),
  random: () => ids.integer(RANDOM_STEPS) / RANDOM_STEPS,
  rtcpMinimumMs: settings.rtcpMinimumMs,
  silentAfterMs: settings.silentAfterMs,
  ...(opus === undefined ? {} : { opus }),
}
const rooms = new Map<string, CallRoom>()

let outbox: FromWorker[] = []

/** Collects what is to be said in one turn: waking the main thread costs more than a command. */
function post(message: FromWorker): void {
  if (outbox.push(message) === 1) setImmediate(flush)
}

function flush(): void {
  port.postMessage(outbox)
  outbox = []
}

function postFault(fault: unknown, callId = ''): void {
  post({
    type: 'fault',
    callId,
    message: messageOf(fault),
    stack: fault instanceof Error ? (fault.stack ?? '') : '',
  })
}

function roomOf(callId: string): CallRoom {
  const known = rooms.get(callId)
  if (known !== undefined) return known
  const room = new CallRoom(context, {
    onEvent: (event) => post({ type: 'event', callId, event }),
    onPlayEnd: (play, end) => post({ type: 'play-end', callId, play, end }),
    onFault: (fault) => postFault(fault, callId),
  })
  rooms.set(callId, room)
  return room
}

async function runCommand(callId: string, command: CallCommand): Promise<unknown> {
  const value = await roomOf(callId).run(command)
  if (command.op === 'release') rooms.delete(callId)
  return value
}

async function closeAll(): Promise<void> {
  await Promise.all([...rooms.keys()].map((callId) => runCommand(callId, { op: 'release' })))
}

function census(): WorkerCensus {
  const all = [...rooms.values()]
  return {
    calls: all.length,
    legs: all.reduce((sum, room) => sum + room.legCount, 0),
    forks: all.reduce((sum, room) => sum + room.forkCount, 0),
    ports: context.pool.boundPorts,
  }
}

async function answer(message: ToWorker): Promise<unknown> {
  switch (message.type) {
    case 'call':
      return await runCommand(message.callId, message.command)
    case 'census':
      return census()
    case 'close':
      return await closeAll()
  }
}

function onMessage(message: ToWorker): void {
  answer(message).then(
    (value) => post({ type: 'reply', id: message.id, value }),
    (error: unknown) =>
      post({
        type: 'rejection',
        id: message.id,
        code: error instanceof AppError ? error.code : 'media.fault',
        message: messageOf(error),
      }),
  )
}

port.on('message', (messages: ToWorker[]) => {
  for (const message of messages) onMessage(message)
})

// A bug met in a timer costs what that timer was for, not the other calls of the thread.
process.on('uncaughtException', (fault) => postFault(fault))

function sweep(): void {
  workerClock.after(SWEEP_EVERY_MS, 'sweep', sweep)
  const nowMs = workerClock.nowMs()
  for (const room of rooms.values()) room.sweep(nowMs)
}
sweep()
