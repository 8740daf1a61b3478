// rtpengine (userspace) as a device of the relay bench, driven over its ng protocol: `cookie SP bencoded dictionary` in UDP.

import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Endpoint } from '#kernel'
import type { BenchTargets, Device } from './relay.ts'

const HOST = '127.0.0.1'
const REPLY_TIMEOUT_MS = 1000
const ATTEMPTS = 20

type Bencoded = string | readonly string[]

function bencode(value: Bencoded | Readonly<Record<string, Bencoded>>): string {
  if (typeof value === 'string') return `${Buffer.byteLength(value)}:${value}`
  if (Array.isArray(value)) return `l${value.map(bencode).join('')}e`
  const keys = Object.keys(value).sort()
  return `d${keys.map((key) => bencode(key) + bencode((value as Record<string, Bencoded>)[key]!)).join('')}e`
}

/** The string value of a key anywhere in a bencoded text; enough for `result`, `sdp` and `to-tag`. */
function stringAt(text: string, key: string): string | undefined {
  const at = text.indexOf(`${key.length}:${key}`)
  const value = /^(\d+):/.exec(at < 0 ? '' : text.slice(at + `${key.length}:${key}`.length))
  if (value === null) return undefined
  const start = at + `${key.length}:${key}`.length + value[0].length
  return text.slice(start, start + Number(value[1]))
}

/** Asks rtpengine and waits for its answers. */
class NgClient {
  readonly #socket: Socket
  readonly #port: number
  #cookie = 0

  constructor(socket: Socket, port: number) {
    this.#socket = socket
    this.#port = port
  }

  async ask(request: Readonly<Record<string, Bencoded>> & { readonly command: string }): Promise<string> {
    const cookie = `c${++this.#cookie}`
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      this.#socket.send(`${cookie} ${bencode(request)}`, this.#port, HOST)
      const reply = await this.#reply(cookie)
      if (reply === undefined) continue
      const result = stringAt(reply, 'result')
      if (result === 'ok' || result === 'pong') return reply
      throw new Error(`rtpengine refused ${request.command}: ${stringAt(reply, 'error-reason') ?? reply}`)
    }
    throw new Error('rtpengine does not answer')
  }

  async #reply(cookie: string): Promise<string | undefined> {
    return await new Promise((resolve) => {
      const onMessage = (bytes: Buffer): void => {
        const text = bytes.toString('latin1')
        if (text.startsWith(`${cookie} `)) done(text.slice(cookie.length + 1))
      }
      const timer = setTimeout(() => done(undefined), REPLY_TIMEOUT_MS)
      const done = (text: string | undefined): void => {
        clearTimeout(timer)
        this.#socket.off('message', onMessage)
        resolve(text)
      }
      this.#socket.on('message', onMessage)
    })
  }
}

function sdpOf(endpoints: readonly Endpoint[], direction: string): string {
  const media = endpoints.map(({ port }) => `m=audio ${port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=${direction}\r\n`)
  return `v=0\r\no=- 1 1 IN IP4 ${HOST}\r\ns=-\r\nc=IN IP4 ${HOST}\r\nt=0 0\r\n${media.join('')}`
}

function mediaPort(reply: string): number {
  const port = /m=audio (\d+)/.exec(stringAt(reply, 'sdp') ?? '')
  if (port === null) throw new Error('rtpengine answered without SDP')
  return Number(port[1])
}

/** Sets up one call; returns the ports that its two parties send to. */
async function openCall(ng: NgClient, targets: BenchTargets, index: number): Promise<[number, number]> {
  const call = { 'call-id': `bench-${index}`, 'from-tag': 'a' }
  const [a, b] = [targets.legs[2 * index]!, targets.legs[2 * index + 1]!]
  const offered = await ng.ask({ command: 'offer', ...call, sdp: sdpOf([a], 'sendrecv') })
  const answered = await ng.ask({ command: 'answer', ...call, 'to-tag': 'b', sdp: sdpOf([b], 'sendrecv') })
  const recorders = targets.forks[2 * index]!.length
  for (let recorder = 0; recorder < recorders; recorder++) {
    const asked = await ng.ask({ command: 'subscribe request', 'call-id': call['call-id'], flags: ['all', 'SIPREC'] })
    const sinks = [targets.forks[2 * index]![recorder]!, targets.forks[2 * index + 1]![recorder]!]
    await ng.ask({
      command: 'subscribe answer',
      'call-id': call['call-id'],
      'to-tag': stringAt(asked, 'to-tag') ?? '',
      sdp: sdpOf(sinks, 'recvonly'),
    })
  }
  return [mediaPort(answered), mediaPort(offered)]
}

function start(ngPort: number): ChildProcess {
  const range = ['--port-min=33000', '--port-max=59999']
  const own = ['--config-file=none', '--table=-1', '--foreground', '--log-stderr', '--log-level=2']
  const listen = [`--interface=${HOST}`, `--listen-ng=${HOST}:${ngPort}`, '--num-threads=1']
  return spawn('rtpengine', [...own, ...listen, ...range], { stdio: 'ignore' })
}

/** Starts rtpengine with one poller thread; it must be installed. */
export async function openRtpengineDevice(targets: BenchTargets): Promise<Device> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => void socket.bind(0, HOST, () => resolve()))
  // The neighbour of a port that the system just gave out is most likely free.
  const ngPort = socket.address().port + 1
  const child = start(ngPort)
  const close = async (): Promise<void> => {
    socket.close()
    const ended = child.exitCode === null ? once(child, 'exit') : Promise.resolve()
    child.kill()
    await ended
  }
  try {
    const ng = new NgClient(socket, ngPort)
    await ng.ask({ command: 'ping' })
    const legPorts: number[] = []
    for (let index = 0; index < targets.legs.length / 2; index++) legPorts.push(...(await openCall(ng, targets, index)))
    return { pid: child.pid ?? 0, legPorts, close }
  } catch (error) {
    await close()
    throw error
  }
}
