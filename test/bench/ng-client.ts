// A client of rtpengine's ng protocol: a cookie, a blank and a bencoded dictionary in one datagram, answered likewise.

import { createSocket, type Socket } from 'node:dgram'

/** What a bencoded message is made of; integers do not occur in what we send. */
type NgValue = string | number | readonly NgValue[] | { readonly [key: string]: NgValue }
/** A reply, or the fields of a command. */
export type NgDictionary = { readonly [key: string]: NgValue }

const REPEAT_AFTER_MS = 500
const ATTEMPTS = 10

/** Writes a value in bencoding. */
function bencode(value: NgValue): string {
  if (typeof value === 'number') return `i${value}e`
  if (typeof value === 'string') return `${Buffer.byteLength(value)}:${value}`
  if (Array.isArray(value)) return `l${value.map(bencode).join('')}e`
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `d${entries.map(([key, item]) => bencode(key) + bencode(item as NgValue)).join('')}e`
}

/** Reads one bencoded value. */
function bdecode(bytes: Buffer): NgValue {
  let at = 0
  const upTo = (end: string): string => {
    const stop = bytes.indexOf(end, at)
    if (stop < 0) throw new Error('bencoded text breaks off')
    const text = bytes.toString('latin1', at, stop)
    at = stop + 1
    return text
  }
  const items = (): NgValue[] => {
    at++
    const all: NgValue[] = []
    while (bytes[at] !== 0x65) all.push(next())
    at++
    return all
  }
  const next = (): NgValue => {
    switch (String.fromCharCode(bytes[at] ?? 0)) {
      case 'i':
        at++
        return Number(upTo('e'))
      case 'l':
        return items()
      case 'd': {
        const all = items()
        return Object.fromEntries(all.flatMap((key, i) => (i % 2 === 0 ? [[String(key), all[i + 1]!]] : [])))
      }
      default: {
        const length = Number(upTo(':'))
        at += length
        return bytes.toString('utf8', at - length, at)
      }
    }
  }
  return next()
}

/** Sends commands to one rtpengine. */
export class NgClient {
  readonly #socket: Socket
  readonly #port: number
  readonly #waiting = new Map<string, (reply: NgDictionary) => void>()
  #lastCookie = 0

  constructor(port: number) {
    this.#socket = createSocket('udp4')
    this.#port = port
    this.#socket.on('message', (bytes) => {
      const blank = bytes.indexOf(' ')
      const cookie = bytes.toString('latin1', 0, blank)
      this.#waiting.get(cookie)?.(bdecode(bytes.subarray(blank + 1)) as NgDictionary)
      this.#waiting.delete(cookie)
    })
  }

  /** Resolves with the reply; rejects when it says `error` or never comes. */
  async command(command: string, fields: NgDictionary = {}): Promise<NgDictionary> {
    const cookie = `bench-${++this.#lastCookie}`
    const datagram = `${cookie} ${bencode({ ...fields, command })}`
    let timer: NodeJS.Timeout | undefined
    const reply = await new Promise<NgDictionary>((resolve, reject) => {
      this.#waiting.set(cookie, resolve)
      let attempts = 0
      const send = (): void => {
        if (++attempts > ATTEMPTS) {
          reject(new Error(`rtpengine does not answer ${command}`))
          return
        }
        // Nobody listens yet while rtpengine starts.
        this.#socket.send(datagram, this.#port, '127.0.0.1')
        timer = setTimeout(send, REPEAT_AFTER_MS)
      }
      send()
    }).finally(() => clearTimeout(timer))
    const { result, 'error-reason': reason } = reply
    if (result === 'error') throw new Error(`rtpengine: ${command}: ${String(reason)}`)
    return reply
  }

  close(): void {
    this.#socket.close()
  }
}
