// The chaos recorder on sockets: SIP over UDP and TCP on one address, RTP ports out of a range.

import { ChaosRecorder, type ChaosScript, type ChaosSockets } from '#chaos-recorder'
import { type PortPair, PortPool } from '#engine'
import type { Logger } from '#kernel'
import { type BoundListener, cryptoIds, SipTransport, systemClock } from '#net'

/** Where the chaos recorder listens and what it does. */
export interface ChaosOptions {
  /** IP literal, for SIP and RTP. */
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  readonly mediaPorts: { readonly portMin: number; readonly portMax: number }
  readonly script: ChaosScript
  readonly log: Logger
}

/** A chaos recorder that listens. */
export interface OpenChaos {
  readonly recorder: ChaosRecorder
  readonly listeners: readonly BoundListener[]
  close(): Promise<void>
}

/** Opens it; rejects with an AppError that names what cannot be bound. */
export async function openChaos({ host, port, mediaPorts, script, log }: ChaosOptions): Promise<OpenChaos> {
  const clock = systemClock
  const pool = new PortPool({ host, ...mediaPorts, clock, randomInteger: (below) => cryptoIds.integer(below) })
  const held = new Set<PortPair>()
  let recorder: ChaosRecorder | undefined
  const transport = await SipTransport.open({
    listen: [
      { transport: 'udp', host, port },
      { transport: 'tcp', host, port },
    ],
    clock,
    log,
    onMessage: (bytes, flow) => recorder?.receive(bytes, flow),
  })
  recorder = new ChaosRecorder(script, {
    transport,
    sockets: poolSockets(pool, held),
    clock,
    ids: cryptoIds,
    log,
    mediaHost: host,
    hangUp: (flow) => transport.hangUp(flow),
  })
  const opened = recorder
  return {
    recorder: opened,
    listeners: transport.boundPorts,
    close: async () => {
      opened.close()
      await transport.close()
      await Promise.all([...held].map((pair) => pool.release(pair)))
    },
  }
}

function poolSockets(pool: PortPool, held: Set<PortPair>): ChaosSockets {
  return {
    open: async (onPacket) => {
      const pair = await pool.take()
      held.add(pair)
      // A report that meets a closed port comes back as an error of the socket, which is no news here.
      for (const socket of [pair.rtp, pair.rtcp]) socket.on('error', () => {})
      pair.rtp.on('message', (bytes) => onPacket('rtp', bytes))
      pair.rtcp.on('message', (bytes) => onPacket('rtcp', bytes))
      return {
        port: pair.port,
        sendRtcp: (bytes, to) => pair.rtcp.send(bytes, to.port, to.host, () => {}),
        close: () => {
          if (held.delete(pair)) void pool.release(pair)
        },
      }
    },
  }
}
