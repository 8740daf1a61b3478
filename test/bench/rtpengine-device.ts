// rtpengine in userspace as a device of the relay bench: one poller thread, calls and recorders by its ng protocol.

import { existsSync } from 'node:fs'
import type { Endpoint } from '#kernel'
import { freePort } from '../harness/free-port.ts'
import { deviceCore, endChild, startProgram } from './child.ts'
import { NgClient, type NgDictionary } from './ng-client.ts'
import type { BenchTargets, Device } from './relay.ts'

const PROGRAM = '/usr/bin/rtpengine'
const PORT_MIN = 10_000
const PORT_MAX = 19_999

/** Whether there is an rtpengine to compare with. */
export const hasRtpengine = existsSync(PROGRAM)

/** Starts rtpengine without its kernel module and sets up the calls. */
export async function openRtpengineDevice(targets: BenchTargets): Promise<Device> {
  const port = await freePort()
  const child = startProgram(
    deviceCore,
    PROGRAM,
    [
      '--config-file=none',
      '--foreground',
      '--log-stderr',
      '--log-level=2',
      '--table=-1',
      '--num-threads=1',
      '--interface=127.0.0.1',
      `--listen-ng=127.0.0.1:${port}`,
      `--port-min=${PORT_MIN}`,
      `--port-max=${PORT_MAX}`,
      '--timeout=3600',
      '--silent-timeout=3600',
      '--delete-delay=0',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const client = new NgClient(port)
  const close = async (): Promise<void> => {
    client.close()
    await endChild(child)
  }
  try {
    await client.command('ping')
    const legPorts: number[] = []
    for (let index = 0; index < targets.legs.length; index += 2) {
      legPorts.push(...(await setUpCall(client, targets, index)))
    }
    return { pid: child.pid ?? 0, legPorts, close }
  } catch (fault) {
    await close()
    throw fault
  }
}

/** Ports of the two legs of a call whose media is copied to its recorders. */
async function setUpCall(client: NgClient, targets: BenchTargets, index: number): Promise<[number, number]> {
  const [caller, callee] = [targets.legs[index]!, targets.legs[index + 1]!]
  const call = { 'call-id': `bench-${index}` }
  const tags = { 'from-tag': `a${index}`, 'to-tag': `b${index}` }
  const offered = await client.command('offer', {
    ...call,
    'from-tag': tags['from-tag'],
    sdp: sdp([caller], 'sendrecv'),
  })
  const answered = await client.command('answer', { ...call, ...tags, sdp: sdp([callee], 'sendrecv') })
  for (let recorder = 0; recorder < (targets.forks[index]?.length ?? 0); recorder++) {
    const flags = ['all', 'SIPREC']
    const subscription = await client.command('subscribe request', { ...call, flags })
    const sinks = [targets.forks[index]![recorder]!, targets.forks[index + 1]![recorder]!]
    const answer = { ...call, 'to-tag': subscription['to-tag']!, sdp: sdp(sinks, 'recvonly') }
    await client.command('subscribe answer', answer)
  }
  // The offer goes on to the callee and the answer to the caller.
  return [audioPort(answered), audioPort(offered)]
}

function sdp(endpoints: readonly Endpoint[], direction: string): string {
  const media = endpoints.flatMap(({ port }) => [`m=audio ${port} RTP/AVP 0`, 'a=rtpmap:0 PCMU/8000', `a=${direction}`])
  return `${['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', ...media].join('\r\n')}\r\n`
}

function audioPort({ sdp: text }: NgDictionary): number {
  const port = Number(/^m=audio (\d+) /m.exec(String(text))?.[1])
  if (!(port > 0)) throw new Error('rtpengine answered without an audio port')
  return port
}
