// A network in memory for SIP cores: seeded loss, duplication, reordering and delay on a ManualClock; no sockets, no sleeps.

import { type Endpoint, err, type ManualClock, ok, type Result, seededIds } from '#kernel'
import type { LocateError, SipFlow, SipLocator, SipTarget, SipTransportPort, SipUri, TransportName } from '#sip'
import { ScriptedPeer } from './scripted-peer.ts'

/** What the network does to datagrams; streams are delayed only. Rates are 0 to 1. */
export interface NetworkFaults {
  readonly lossRate?: number
  readonly duplicateRate?: number
  /** Share of datagrams that are held back for up to `reorderMs`. */
  readonly reorderRate?: number
  readonly reorderMs?: number
  /** One way; 1 ms unless told. */
  readonly delayMs?: number
}

/** One message on its way, as it was sent. */
export interface Passage {
  readonly atMs: number
  readonly transport: TransportName
  readonly from: Endpoint
  readonly to: Endpoint
  readonly text: string
  readonly lost: boolean
}

/** Whoever takes the messages of a node, such as a SipCore. */
export interface Receiver {
  receive(bytes: Uint8Array, flow: SipFlow): void
}

/** A place on the network with one address. */
export interface NetworkNode {
  readonly ip: string
  readonly transport: SipTransportPort
  readonly locator: SipLocator
  /** Messages go to `receiver` from now on. */
  bind(receiver: Receiver): void
}

interface Place {
  readonly ip: string
  readonly transports: ReadonlySet<TransportName>
  receiver: Receiver | undefined
}

interface Connection {
  readonly id: number
  readonly transport: TransportName
  /** The side that connected, with its ephemeral port. */
  readonly near: Endpoint
  readonly far: Endpoint
  open: boolean
}

/** Listening port of a transport on every node. */
export function portOf(transport: TransportName): number {
  return transport === 'tls' ? 5061 : 5060
}

/** Joins nodes; everything that happens is in `passages`. */
export class SipNetwork {
  faults: NetworkFaults
  readonly passages: Passage[] = []
  readonly #clock: ManualClock
  readonly #random: ReturnType<typeof seededIds>
  readonly #places = new Map<string, Place>()
  readonly #names = new Map<string, readonly SipTarget[]>()
  readonly #connections = new Map<number, Connection>()
  #nextConnection = 1

  constructor(clock: ManualClock, seed: number, faults: NetworkFaults = {}) {
    this.#clock = clock
    this.#random = seededIds(seed)
    this.faults = faults
  }

  /** Adds a node; `name` resolves to it by its first transport. Unless told it has udp and tcp. */
  attach(name: string, ip: string, transports: readonly TransportName[] = ['udp', 'tcp']): NetworkNode {
    const place: Place = { ip, transports: new Set(transports), receiver: undefined }
    this.#places.set(ip, place)
    const transport = transports[0] ?? 'udp'
    this.name(name, [{ transport, host: ip, port: portOf(transport) }])
    return {
      ip,
      transport: this.#portOf(place),
      locator: { locate: (uri) => Promise.resolve(this.#locate(uri, place)) },
      bind: (receiver) => {
        place.receiver = receiver
      },
    }
  }

  /** A node driven by the test, with raw text. */
  scriptedPeer(ip: string, transports: readonly TransportName[] = ['udp', 'tcp']): ScriptedPeer {
    const node = this.attach(`peer-${ip}`, ip, transports)
    const peer = new ScriptedPeer(node, () => this.#clock.nowMs())
    node.bind(peer)
    return peer
  }

  /** What a host name resolves to, in order. */
  name(host: string, targets: readonly SipTarget[]): void {
    this.#names.set(host, targets)
  }

  /** Breaks every connection from or to this address; nobody is told. */
  cut(ip: string): void {
    for (const connection of this.#connections.values()) {
      if (connection.near.host === ip || connection.far.host === ip) connection.open = false
    }
  }

  /** Takes a node off the network: datagrams to it vanish, connecting to it times out. */
  detach(ip: string): void {
    this.cut(ip)
    this.#places.delete(ip)
  }

  #portOf(place: Place): SipTransportPort {
    return {
      supports: (transport) => place.transports.has(transport),
      localAddress: (transport) => ({ host: place.ip, port: portOf(transport) }),
      sendTo: (target, bytes, onFailed) => this.#sendTo(place, target, bytes, onFailed),
      sendBack: (flow, bytes, onFailed, fallback) => this.#sendBack(place, flow, bytes, onFailed, fallback),
    }
  }

  #locate(uri: SipUri, place: Place): Result<readonly SipTarget[], LocateError> {
    if (uri.scheme === 'tel') return err({ code: 'no-target', message: 'tel URI' })
    const named = this.#names.get(uri.host)
    if (named !== undefined) return ok(named)
    if (!/^[\d.]+$|:/.test(uri.host)) return err({ code: 'dns-failure', message: 'name does not exist' })
    const wanted = uri.scheme === 'sips' ? 'tls' : (uri.params.get('transport') ?? 'udp').toLowerCase()
    if (wanted !== 'udp' && wanted !== 'tcp' && wanted !== 'tls') {
      return err({ code: 'unsupported-transport', message: wanted })
    }
    if (!place.transports.has(wanted)) return err({ code: 'unsupported-transport', message: wanted })
    return ok([{ transport: wanted, host: uri.host, port: uri.port ?? portOf(wanted) }])
  }

  #sendTo(from: Place, target: SipTarget, bytes: Uint8Array, onFailed: (reason: string) => void): void {
    if (target.transport === 'udp') {
      this.#datagram({ host: from.ip, port: portOf('udp') }, target, bytes)
      return
    }
    const named = this.#connections.get(target.connectionId ?? 0)
    const known = named?.open
      ? named
      : [...this.#connections.values()].find((connection) => isTo(connection, from.ip, target))
    const to = this.#places.get(target.host)
    if (known !== undefined) this.#stream(known, from.ip, bytes)
    else if (to === undefined) this.#fail(target.connectTimeoutMs ?? 5000, 'connect timeout', onFailed)
    else if (!to.transports.has(target.transport) || target.port !== portOf(target.transport)) {
      this.#fail(this.#delayMs(), 'connection refused', onFailed)
    } else this.#stream(this.#connect(from, target), from.ip, bytes)
  }

  #sendBack(
    from: Place,
    flow: SipFlow,
    bytes: Uint8Array,
    onFailed: (reason: string) => void,
    fallback: SipTarget | undefined,
  ): void {
    if (flow.transport === 'udp') {
      this.#datagram(flow.local, flow.remote, bytes)
      return
    }
    const connection = this.#connections.get(flow.connectionId ?? 0)
    if (connection?.open) this.#stream(connection, from.ip, bytes)
    else if (fallback !== undefined) this.#sendTo(from, fallback, bytes, onFailed)
    else this.#fail(0, 'connection closed', onFailed)
  }

  #connect(from: Place, target: SipTarget): Connection {
    const id = this.#nextConnection++
    const near = { host: from.ip, port: 40_000 + id }
    const far = { host: target.host, port: target.port }
    const connection: Connection = { id, transport: target.transport, near, far, open: true }
    this.#connections.set(id, connection)
    return connection
  }

  #stream(connection: Connection, fromIp: string, bytes: Uint8Array): void {
    const { id, transport, near, far } = connection
    const [from, to] = near.host === fromIp ? [near, far] : [far, near]
    this.#note(transport, from, to, bytes, false)
    const flow: SipFlow = { transport, local: to, remote: from, connectionId: id }
    this.#deliver(to.host, bytes, flow, this.#delayMs())
  }

  #datagram(from: Endpoint, to: Endpoint, bytes: Uint8Array): void {
    const lost = this.#chance(this.faults.lossRate)
    this.#note('udp', from, to, bytes, lost)
    if (lost) return
    const flow: SipFlow = { transport: 'udp', local: { host: to.host, port: to.port }, remote: from }
    const heldMs = this.#chance(this.faults.reorderRate) ? this.#random.integer(this.faults.reorderMs ?? 50) : 0
    this.#deliver(to.host, bytes, flow, this.#delayMs() + heldMs)
    if (this.#chance(this.faults.duplicateRate)) this.#deliver(to.host, bytes, flow, 2 * this.#delayMs())
  }

  #deliver(ip: string, bytes: Uint8Array, flow: SipFlow, afterMs: number): void {
    this.#clock.after(afterMs, 'network', () => this.#places.get(ip)?.receiver?.receive(bytes, flow))
  }

  #fail(afterMs: number, reason: string, onFailed: (reason: string) => void): void {
    this.#clock.after(afterMs, 'network-failure', () => onFailed(reason))
  }

  #delayMs(): number {
    return this.faults.delayMs ?? 1
  }

  #chance(rate: number | undefined): boolean {
    return rate !== undefined && this.#random.integer(1_000_000) < rate * 1_000_000
  }

  #note(transport: TransportName, from: Endpoint, to: Endpoint, bytes: Uint8Array, lost: boolean): void {
    const text = Buffer.from(bytes).toString('utf8')
    this.passages.push({ atMs: this.#clock.nowMs(), transport, from, to: { host: to.host, port: to.port }, text, lost })
  }
}

function isTo(connection: Connection, fromIp: string, target: SipTarget): boolean {
  const { near, far, open, transport } = connection
  if (!open || transport !== target.transport) return false
  const isForward = near.host === fromIp && far.host === target.host && far.port === target.port
  return isForward || (far.host === fromIp && near.host === target.host && near.port === target.port)
}
