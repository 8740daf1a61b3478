// The whole program as a soak opens it: a gateway whose calls are all recorded by a list of two recorders.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock, Logger } from '#kernel'
import { cryptoIds } from '#net'
import { parseConfig } from '../../src/app/config.ts'
import type { Gateway } from '../../src/app/gateway.ts'
import { openProgram } from '../../src/app/program.ts'

const HOST = '127.0.0.1'
const PORTS = 2_000

/** A running gateway. */
export interface SoakProgram {
  readonly gateway: Gateway
  /** URI whose calls are recorded. */
  readonly target: string
  close(): Promise<void>
}

/** Opens the gateway; calls go to `callee`, their recordings to the first recorder that takes them. */
export async function openSoakProgram(
  peers: { readonly callee: string; readonly recorders: readonly string[] },
  around: { readonly clock: Clock; readonly log: Logger },
): Promise<SoakProgram> {
  const folder = await mkdtemp(join(tmpdir(), 'siprec-gateway-soak-'))
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  const flow = join(folder, 'flow.json')
  await writeFile(flow, JSON.stringify(recordingFlow))
  const portMin = 20_000 + 2 * cryptoIds.integer(4_000)
  const written = {
    gateway: {
      sip: { listen: ['udp', 'tcp'].map((transport) => ({ transport, host: HOST, port: 0 })) },
      media: { host: HOST, portMin, portMax: portMin + PORTS - 1 },
      routes: [{ match: 'soak', flow, input: { callee: peers.callee, recorders: peers.recorders.join('|') } }],
      destinations: { dial: [HOST], record: [HOST] },
      info: { trustedPeers: [HOST] },
      limits: { activeCalls: PORTS / 8 },
      awareness: { exempt: 'nobody is there' },
    },
  }
  // JSON is YAML.
  const config = parseConfig(JSON.stringify(written), 'soak.yaml')
  if (!config.ok) throw new Error(JSON.stringify(config.error))
  const program = await openProgram(config.value, around.log, around.clock)
  const { gateway } = program
  if (gateway === undefined) throw new Error('no gateway is configured')
  const port = gateway.listeners.find(({ transport }) => transport === 'udp')?.port
  return {
    gateway,
    target: `sip:soak@${HOST}:${port}`,
    close: () => program.close(0).then(remove),
  }
}

const recordingFlow = {
  name: 'soak',
  nodes: [
    { type: 'callRecording', activity: 'start', callRecordingServer: '{{ input.recorders }}' },
    { type: 'dial', target: '{{ input.callee }}', timeoutMs: 30_000, until: 'end' },
  ],
}
