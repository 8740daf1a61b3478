// The chaos recorder on loopback, with one of the scripts that it is shipped with.

import type { TestContext } from 'node:test'
import { presets } from '#chaos-recorder'
import { silentLogger } from '#kernel'
import { cryptoIds } from '#net'
import { type OpenChaos, openChaos } from '../../src/app/chaos.ts'

const HOST = '127.0.0.1'

/** Opens one that misbehaves as the script of that name says; it closes after the test. */
export async function openFault(t: TestContext, fault: string): Promise<OpenChaos> {
  const portMin = 43_000 + 2 * cryptoIds.integer(3000)
  const chaos = await openChaos({
    host: HOST,
    port: 0,
    mediaPorts: { portMin, portMax: portMin + 199 },
    script: presets[fault]!,
    log: silentLogger,
  })
  t.after(() => chaos.close())
  return chaos
}

/** Its URI, over TCP. */
export function uriOf({ listeners }: OpenChaos): string {
  const port = listeners.find(({ transport }) => transport === 'tcp')?.port ?? 0
  return `sip:chaos@${HOST}:${port};transport=tcp`
}
