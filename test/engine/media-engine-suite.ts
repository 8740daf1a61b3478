// What every media engine must do, shown with real sockets on loopback.

import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import type { MediaEngine } from '#engine'
import { copyScenarios } from './copy-scenarios.ts'
import { forkScenarios } from './fork-scenarios.ts'
import { hearingScenarios } from './hearing-scenarios.ts'
import { legScenarios } from './leg-scenarios.ts'
import { mixScenarios } from './mix-scenarios.ts'
import { replayScenarios } from './replay-scenarios.ts'
import { OffTimeError } from './rtp-party.ts'
import { assertRejects, type Scenario, Scene } from './scene.ts'
import { signScenarios } from './sign-scenarios.ts'
import { srtpScenarios } from './srtp-scenarios.ts'
import { toneScenarios } from './tone-scenarios.ts'
import { videoScenarios } from './video-scenarios.ts'

const ATTEMPTS = 3

/** How the suite wants the engine that it tests. */
export interface EngineRequest {
  /** At most this many port pairs; absent: plenty. */
  readonly portPairs?: number
  readonly rtcpMinimumMs: number
  readonly silentAfterMs: number
}

/** Runs a scenario again, at most twice, when RTP time was off: a machine does not stall each time that a source takes over. */
async function attempt(t: TestContext, run: (attemptNo: number) => Promise<void>): Promise<void> {
  for (let attemptNo = 1; ; attemptNo++) {
    try {
      return await run(attemptNo)
    } catch (fault) {
      if (!(fault instanceof OffTimeError) || attemptNo === ATTEMPTS) throw fault
      t.diagnostic(fault.message)
    }
  }
}

/** Runs the suite against engines made by `makeEngine`. */
export function mediaEngineSuite(name: string, makeEngine: (request: EngineRequest) => Promise<MediaEngine>): void {
  describe(`media engine: ${name}`, () => {
    let engine: MediaEngine
    before(async () => {
      engine = await makeEngine({ rtcpMinimumMs: 200, silentAfterMs: 600 })
    })
    after(async () => {
      await engine.close()
    })
    const scenario: Scenario = (title, run, claim) => {
      test(title, { timeout: 30_000 }, async (t) => {
        if (claim !== undefined && !engine.capabilities[claim]) t.skip(`the engine does not claim ${claim}`)
        else await attempt(t, (attemptNo) => run(new Scene(t, engine, attemptNo)))
      })
    }

    legScenarios(scenario, () => engine)
    forkScenarios(scenario)
    copyScenarios(scenario)
    srtpScenarios(scenario, () => engine)
    signScenarios(scenario)
    toneScenarios(scenario)
    hearingScenarios(scenario)
    replayScenarios(scenario)
    mixScenarios(scenario)
    videoScenarios(scenario)

    test('says that no ports are left, and has them again after a release', { timeout: 15_000 }, async (t) => {
      const small = await makeEngine({ portPairs: 2, rtcpMinimumMs: 200, silentAfterMs: 600 })
      t.after(async () => await small.close())
      const call = small.openCall('small')
      await call.addLeg('a')
      await call.addLeg('b')
      await assertRejects(call.addLeg('c'), 'media.no-ports')
      await call.release()
      assert.deepEqual(await small.census(), { calls: 0, legs: 0, forks: 0, ports: 0 })
    })
  })
}
