// A recorder's RTP socket in a process of its own at the lowest priority: what it does with the copies is no cost of the call.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { setPriority } from 'node:os'
import { endChild, loadCore, nextMessage, startModule } from './child.ts'

const HOST = '127.0.0.1'
const LOWEST_PRIORITY = 19

/** The socket, seen from the bench. */
export interface RtpSink {
  readonly port: number
  /** Datagrams that have come so far. */
  packets(): Promise<number>
  close(): Promise<void>
}

/** Opens a socket that only counts. */
export async function openRtpSink(): Promise<RtpSink> {
  const child = startModule(loadCore, new URL(import.meta.url), ['sink'])
  const port = await nextMessage<number>(child)
  return {
    port,
    packets: async () => {
      child.send('packets')
      return await nextMessage<number>(child)
    },
    close: async () => await endChild(child),
  }
}

async function serve(): Promise<void> {
  setPriority(LOWEST_PRIORITY)
  let packets = 0
  const socket = createSocket('udp4', () => packets++).bind(0, HOST)
  await once(socket, 'listening')
  process.on('message', () => process.send?.(packets))
  process.on('disconnect', () => process.exit(0))
  process.send?.(socket.address().port)
}

if (process.argv[2] === 'sink') await serve()
