// Tests of recorders that the HTTP API asks for: a few at a time, to listed destinations only, the latest kept.

import { createDestinationPolicy } from '#call'
import type { RecorderTest, RecorderTestBegin, RecorderTestsView } from '#control'
import { type Clock, type Ids, messageOf } from '#kernel'
import type { TlsOptions } from '#net'
import type { CheckReport } from '#recorder-check'
import { parseSipUri } from '#sip'
import { type CheckOptions, runCheck } from './check.ts'
import type { GatewayConfig } from './config-schema.ts'

const MOST_AT_ONCE = 2
const MOST_KEPT = 50
const ID_BYTES = 6

/** What tests need. */
export interface RecorderTestsOptions {
  readonly config: Pick<GatewayConfig, 'destinations' | 'media' | 'sip'>
  /** Certificates of the gateway; without them TLS is not tried. */
  readonly tls?: TlsOptions | undefined
  readonly clock: Clock
  readonly ids: Ids
  readonly check?: (options: CheckOptions) => Promise<CheckReport>
}

/** Makes the tests of a gateway; each binds RTP ports of the gateway's range while it runs. */
export function createRecorderTests({
  config,
  tls,
  clock,
  ids,
  check = runCheck,
}: RecorderTestsOptions): RecorderTestsView {
  const destinations = createDestinationPolicy(config.destinations.record)
  const tests = new Map<string, RecorderTest>()
  let running = 0
  const now = (): string => new Date(clock.wallMs()).toISOString()

  const run = async (test: RecorderTest, host: string, seconds: number): Promise<void> => {
    running += 1
    try {
      const { portMin, portMax } = config.media
      const mediaPorts = { portMin, portMax }
      const certificates = tls === undefined ? {} : { tls }
      const report = await check({ uri: test.uri, host, mediaPorts, talkMs: seconds * 1_000, ...certificates })
      tests.set(test.id, { ...test, state: 'done', finishedAt: now(), report: shown(report) })
    } catch (fault) {
      tests.set(test.id, { ...test, state: 'failed', finishedAt: now(), failure: messageOf(fault) })
    } finally {
      running -= 1
    }
  }

  return {
    begin: (text, seconds): RecorderTestBegin => {
      const uri = parseSipUri(text)
      if (!uri.ok || uri.value.scheme === 'tel') return 'invalid'
      if (!destinations.allows(uri.value)) return 'forbidden'
      if (running >= MOST_AT_ONCE) return 'busy'
      const host = ownAddress(config)
      if (host === undefined) return 'no-address'
      const test: RecorderTest = { id: ids.hex(ID_BYTES), uri: text, state: 'running', startedAt: now() }
      tests.set(test.id, test)
      const [oldest] = tests.keys()
      if (tests.size > MOST_KEPT && oldest !== undefined) tests.delete(oldest)
      return { id: test.id, finished: run(test, host, seconds) }
    },
    get: (id) => tests.get(id),
  }
}

function ownAddress({ media, sip }: RecorderTestsOptions['config']): string | undefined {
  return [media.host, ...sip.listen.map(({ host }) => host)].find((host) => host !== '0.0.0.0' && host !== '::')
}

function shown({ isRecorder, items, notes, profile }: CheckReport): NonNullable<RecorderTest['report']> {
  return { isRecorder, items: items.map((item) => ({ ...item })), notes: [...notes], profile: { ...profile } }
}
