// The whole gateway as users start it, in a process of its own, with a configuration made for the bench.

import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { deviceCore, endChild, startProgram } from './child.ts'

const MAIN = fileURLToPath(new URL('../../src/app/main.js', import.meta.url))
const READY_WITHIN_MS = 15_000

/** Users that the gateway knows: one that is connected, and one that is recorded too. */
export const plainUser = 'plain'
export const recordedUser = 'recorded'

/** What the gateway is told about the bench. */
export interface GatewaySurroundings {
  /** URI that every call is connected to. */
  readonly callee: string
  /** URI of the recorder of recorded calls. */
  readonly recorder: string
}

/** A running gateway. */
export interface GatewayProcess {
  readonly pid: number
  readonly sipPort: number
  /** Address of the HTTP API, without a slash at the end. */
  readonly api: string
  close(): Promise<void>
}

/** Starts the gateway and waits until it is ready. */
export async function startGateway(around: GatewaySurroundings): Promise<GatewayProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'siprec-gateway-bench-'))
  const flow = join(folder, 'flow.json')
  const config = join(folder, 'config.json')
  // JSON is YAML, and needs no care about indentation.
  await writeFile(flow, JSON.stringify(recordingFlow))
  await writeFile(config, JSON.stringify(configOf(around, flow)))
  const child = startProgram(deviceCore, process.execPath, [MAIN, 'start', '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const close = async (): Promise<void> => {
    await endChild(child)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    return { pid: child.pid ?? 0, ...(await readyLine(child)), close }
  } catch (fault) {
    await close()
    throw fault
  }
}

function configOf({ callee, recorder }: GatewaySurroundings, flow: string): object {
  const host = '127.0.0.1'
  return {
    log: { level: 'info' },
    http: { host, port: 0 },
    gateway: {
      sip: { listen: ['udp', 'tcp'].map((transport) => ({ transport, host, port: 0 })) },
      media: { host, portMin: 20_000, portMax: 32_766 },
      routes: [
        { match: plainUser, callee },
        { match: recordedUser, flow, input: { callee } },
      ],
      destinations: { dial: [host], record: [host] },
      limits: { activeCalls: 10_000 },
      // A tone would be sound in the place of what is measured.
      awareness: { exempt: 'nobody is there' },
      recording: { recorders: [recorder] },
    },
  }
}

const recordingFlow = {
  name: 'bench',
  nodes: [
    { type: 'callRecording', activity: 'start', callRecordingServer: '{{ input.recorders }}' },
    { type: 'dial', target: '{{ input.callee }}', timeoutMs: 30_000, until: 'end' },
  ],
}

interface ReadyLine {
  readonly message?: string
  readonly gateway?: readonly { readonly transport: string; readonly port: number }[]
  readonly http?: { readonly host: string; readonly port: number }
}

/** Reads the log up to the line that says where the gateway listens, and lets the rest run off. */
async function readyLine(child: ChildProcess): Promise<{ sipPort: number; api: string }> {
  const lines = createInterface({ input: child.stdout! })
  return await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the gateway was not ready in time')), READY_WITHIN_MS)
    child.once('exit', (code) => reject(new Error(`the gateway ended with ${code}`)))
    lines.on('line', (line) => {
      if (!line.startsWith('{')) return
      const { message, gateway, http } = JSON.parse(line) as ReadyLine
      const sip = gateway?.find(({ transport }) => transport === 'udp')
      if (message !== 'ready' || sip === undefined || http === undefined) return
      clearTimeout(timer)
      lines.close()
      child.stdout?.resume()
      resolve({ sipPort: sip.port, api: `http://${http.host}:${http.port}` })
    })
  })
}
