// A name server on loopback whose zone a test writes; it counts what it is asked.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type Answer, type DecodedPacket, decode, encode, type NaptrData, type SrvData } from 'dns-packet'

/** Records of one name. */
export interface ZoneEntry {
  readonly a?: readonly string[]
  readonly aaaa?: readonly string[]
  readonly srv?: readonly SrvData[]
  readonly naptr?: readonly NaptrData[]
  /** Every question about the name is answered with SERVFAIL. */
  readonly broken?: boolean
}

const NO_SUCH_NAME = 3
const SERVER_FAILURE = 2

/** The test name server. */
export class DnsServer {
  /** Names and their records; may be changed while the server runs. */
  readonly zone = new Map<string, ZoneEntry>()
  /** Questions in order of arrival, as `TYPE name`. */
  readonly questions: string[] = []
  readonly #socket: Socket
  readonly #ttlS: number

  private constructor(socket: Socket, ttlS: number) {
    this.#socket = socket
    this.#ttlS = ttlS
    socket.on('message', (bytes, from) => {
      const answer = this.#answer(decode(bytes))
      socket.send(answer, from.port, from.address)
    })
  }

  /** Opens on an ephemeral port of 127.0.0.1; `ttlS` goes with every record. */
  static async open(zone: Readonly<Record<string, ZoneEntry>>, ttlS = 60): Promise<DnsServer> {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const server = new DnsServer(socket, ttlS)
    for (const [name, entry] of Object.entries(zone)) server.zone.set(name, entry)
    return server
  }

  /** What to give to a resolver as its server. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#socket.close(() => resolve())
    })
  }

  #answer(query: DecodedPacket): Buffer {
    const question = query.questions?.[0]
    const name = question?.name.toLowerCase() ?? ''
    const entry = this.zone.get(name)
    this.questions.push(`${question?.type} ${name}`)
    const answers = entry === undefined ? [] : this.#records(name, question?.type ?? '', entry)
    const code = entry === undefined ? NO_SUCH_NAME : entry.broken === true ? SERVER_FAILURE : 0
    // dns-packet takes the response code as the low bits of the flags.
    return encode({
      type: 'response',
      ...(query.id === undefined ? {} : { id: query.id }),
      flags: code,
      questions: query.questions ?? [],
      answers,
    })
  }

  #records(name: string, type: string, entry: ZoneEntry): Answer[] {
    const common = { name, ttl: this.#ttlS }
    switch (type) {
      case 'A':
        return (entry.a ?? []).map((data) => ({ ...common, type: 'A', data }))
      case 'AAAA':
        return (entry.aaaa ?? []).map((data) => ({ ...common, type: 'AAAA', data }))
      case 'SRV':
        return (entry.srv ?? []).map((data) => ({ ...common, type: 'SRV', data }))
      case 'NAPTR':
        return (entry.naptr ?? []).map((data) => ({ ...common, type: 'NAPTR', data }))
      default:
        return []
    }
  }
}
