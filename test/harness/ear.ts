// Somebody who listens by the API: keeps the texts and the sound of one WebSocket.

import { once } from 'node:events'
import type { TestContext } from 'node:test'
import WebSocket from 'ws'
import { until } from './until.ts'

const HEADER_BYTES = 8

/** A message of the listening protocol that is no sound. */
export interface EarText {
  readonly type: string
  readonly streams?: readonly {
    readonly channel: number
    readonly label?: string
    readonly speakers: readonly string[]
  }[]
}

/** What one listener got. */
export class Ear {
  readonly texts: EarText[] = []
  readonly socket: WebSocket
  /** Rates that frames came in. */
  readonly rates = new Set<number>()
  readonly #heard = new Map<number, number[]>()

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) this.#take(data)
      else this.texts.push(JSON.parse(data.toString()) as EarText)
    })
  }

  /** Opens `http://…/listen`; closes after the test. */
  static async open(t: TestContext, url: string): Promise<Ear> {
    const socket = new WebSocket(url.replace('http', 'ws'))
    t.after(() => socket.terminate())
    const ear = new Ear(socket)
    await once(socket, 'open')
    await until('the ear is told of the streams', () => ear.texts.length > 0)
    return ear
  }

  samples(channel: number): Int16Array {
    return Int16Array.from(this.#heard.get(channel) ?? [])
  }

  forget(): void {
    this.#heard.clear()
  }

  has(type: string): boolean {
    return this.texts.some((text) => text.type === type)
  }

  #take(data: Buffer): void {
    this.rates.add(data.readUInt32LE(4))
    const channel = data.readUInt8(0)
    const samples = this.#heard.get(channel) ?? []
    this.#heard.set(channel, samples)
    for (let at = HEADER_BYTES; at < data.length; at += 2) samples.push(data.readInt16LE(at))
  }
}
