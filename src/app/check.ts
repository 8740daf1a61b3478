// The check of a recorder on sockets.

import { type PortPair, PortPool } from '#engine'
import { silentLogger } from '#kernel'
import { createLocator, cryptoIds, SipTransport, systemClock, type TlsOptions } from '#net'
import { type CheckReport, type CheckSocket, type CheckSockets, checkRecorder } from '#recorder-check'
import { type Credentials, createSipCore, type SipCore, type TransportName } from '#sip'
import { product } from './sip-role.ts'

/** What is checked, and from where. */
export interface CheckOptions {
  readonly uri: string
  /** IP literal that the recorder reaches us at. */
  readonly host: string
  readonly mediaPorts: { readonly portMin: number; readonly portMax: number }
  readonly talkMs: number
  /** Certificates for TLS; without them TLS is not tried. */
  readonly tls?: TlsOptions
  readonly credentials?: Credentials
}

/** Runs the check and closes everything; rejects with an AppError only if nothing can be bound here. */
export async function runCheck({
  uri,
  host,
  mediaPorts,
  talkMs,
  tls,
  credentials,
}: CheckOptions): Promise<CheckReport> {
  const [clock, ids, log] = [systemClock, cryptoIds, silentLogger]
  const transports: readonly TransportName[] = tls === undefined ? ['udp', 'tcp'] : ['udp', 'tcp', 'tls']
  const pool = new PortPool({ host, ...mediaPorts, clock, randomInteger: (below) => ids.integer(below) })
  const sockets = new CheckSocketPool(pool)
  let core: SipCore | undefined
  const transport = await SipTransport.open({
    listen: transports.map((name) => ({ transport: name, host, port: 0 })),
    ...(tls === undefined ? {} : { tls }),
    clock,
    log,
    onMessage: (bytes, flow) => core?.receive(bytes, flow),
  })
  const locator = createLocator({ supports: (name) => transport.supports(name), clock, ids, log })
  core = createSipCore(
    {
      name: 'check',
      clock,
      ids,
      log,
      transport,
      locator,
      product,
      supported: ['timer'],
      understood: ['siprec'],
      allow: ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'INFO', 'UPDATE'],
      accept: ['application/sdp', 'application/rs-metadata+xml', 'application/rs-metadata'],
      contactUser: 'check',
    },
    { onInvite: (invite) => invite.reject(403) },
  )
  try {
    const around = { core, clock, ids, mediaHost: host, sockets, from: `<sip:check@${host}>` }
    return await checkRecorder({ uri, transports, talkMs, ...(credentials && { credentials }) }, around)
  } finally {
    core.close()
    await transport.close()
    await sockets.close()
  }
}

/** RTP ports of a pool, for synthetic calls. */
export class CheckSocketPool implements CheckSockets {
  readonly #pool: PortPool
  readonly #held = new Set<PortPair>()

  constructor(pool: PortPool) {
    this.#pool = pool
  }

  async open(onRtcp: (bytes: Uint8Array) => void): Promise<CheckSocket> {
    const pair = await this.#pool.take()
    this.#held.add(pair)
    // Packets that meet a closed port come back as errors, which are no news here.
    for (const socket of [pair.rtp, pair.rtcp]) socket.on('error', () => {})
    pair.rtcp.on('message', (bytes) => onRtcp(bytes))
    return {
      port: pair.port,
      sendRtp: (bytes, to) => pair.rtp.send(bytes, to.port, to.host, () => {}),
      close: () => {
        if (this.#held.delete(pair)) void this.#pool.release(pair)
      },
    }
  }

  /** Gives back what is still held. */
  async close(): Promise<void> {
    const pairs = [...this.#held]
    this.#held.clear()
    await Promise.all(pairs.map((pair) => this.#pool.release(pair)))
  }
}
