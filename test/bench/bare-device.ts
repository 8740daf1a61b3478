// What Node's sockets alone cost: a device that sends on, or only counts, what it receives, and knows nothing of RTP.

import { createSocket, type Socket } from 'node:dgram'
import type { Endpoint } from '#kernel'
import { openChildDevice } from './child.ts'
import type { BenchTargets, Device } from './relay.ts'

const HOST = '127.0.0.1'
const RECEIVE_BYTES = 1 << 20

/** Opens a device that sends each packet of a leg to the other leg of its call and to the recorders. */
export function openBareRelay(targets: BenchTargets): Promise<Device> {
  return openChildDevice(new URL(import.meta.url), 'relay', targets)
}

/** Opens a device that reads packets and does nothing with them. */
export function openBareReceiver(targets: BenchTargets): Promise<Device> {
  return openChildDevice(new URL(import.meta.url), 'receive', targets)
}

async function socketTo(target: Endpoint): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BYTES })
  await new Promise<void>((resolve) => void socket.bind(0, HOST, () => resolve()))
  await new Promise<void>((resolve) => void socket.connect(target.port, target.host, () => resolve()))
  socket.on('error', () => {})
  return socket
}

async function serve({ legs, forks }: BenchTargets, isRelay: boolean): Promise<number[]> {
  const sockets = await Promise.all(legs.map(socketTo))
  const copies = await Promise.all(forks.map((each) => Promise.all(each.map(socketTo))))
  let received = 0
  for (const [index, socket] of sockets.entries()) {
    const other = sockets[index ^ 1]!
    const recorders = copies[index] ?? []
    socket.on('message', (packet) => {
      received += 1
      if (!isRelay) return
      other.send(packet)
      for (const recorder of recorders) recorder.send(packet)
    })
  }
  process.once('disconnect', () => process.exit(received > 0 ? 0 : 1))
  return sockets.map((socket) => socket.address().port)
}

const role = process.argv[2]
if (role === 'relay' || role === 'receive') {
  process.once('message', (targets: BenchTargets) => {
    serve(targets, role === 'relay').then(
      (legPorts) => process.send?.(legPorts),
      (error: unknown) => {
        throw error
      },
    )
  })
}
