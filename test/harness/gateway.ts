// A gateway of real sockets and real relay threads, without configuration: call service, SIP core, worker engine.

import {
  type Call,
  type CallService,
  createCallService,
  createDestinationPolicy,
  createRouter,
  type RouteRule,
  type TransferPolicy,
} from '#call'
import { createWorkerEngine, type MediaEngine } from '#engine'
import { silentLogger } from '#kernel'
import { createLocator, cryptoIds, SipTransport, systemClock } from '#net'
import { srtpSuites } from '#rtp'
import { createSipCore, type SipCore } from '#sip'

const HOST = '127.0.0.1'

/** A running gateway. */
export interface TestGateway {
  readonly service: CallService
  readonly engine: MediaEngine
  readonly core: SipCore
  /** URI of a user at the gateway, over a transport. */
  uri(user: string, transport: 'udp' | 'tcp'): string
  close(): Promise<void>
}

/** Opens a gateway on ports of the system's choice, which calls loopback only. */
export async function openGateway(options: {
  readonly routes: readonly RouteRule[]
  readonly transfer?: Partial<TransferPolicy>
  readonly flow?: (call: Call, name: string) => void
}): Promise<TestGateway> {
  const shared = { clock: systemClock, ids: cryptoIds, log: silentLogger }
  const portMin = 27_000 + 2 * cryptoIds.integer(1500)
  const engine = await createWorkerEngine({ ...shared, host: HOST, portMin, portMax: portMin + 199, workers: 1 })
  let core: SipCore | undefined
  const transport = await SipTransport.open({
    listen: [
      { transport: 'udp', host: HOST, port: 0 },
      { transport: 'tcp', host: HOST, port: 0 },
    ],
    ...shared,
    onMessage: (bytes, flow) => core?.receive(bytes, flow),
  })
  const service = createCallService({
    ...shared,
    engine,
    domain: HOST,
    ownAddresses: () => transport.boundPorts,
    router: createRouter(options.routes),
    destinations: createDestinationPolicy([HOST]),
    trustedIdentities: createDestinationPolicy([]),
    transfer: { mode: 'execute', session: 'same', ...options.transfer },
    srtp: { suites: srtpSuites, callees: 'as-caller', keysWithoutTls: true },
    tones: () => ({ exempt: 'test' }),
    limits: { activeCalls: 10, silenceMs: 30_000 },
    flows: (call, name) => options.flow?.(call, name),
  })
  const made = createSipCore(
    {
      name: 'gateway',
      ...shared,
      transport,
      locator: createLocator({ ...shared, supports: (name) => transport.supports(name) }),
      product: 'gateway',
      supported: ['replaces'],
      allow: ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'INFO', 'UPDATE', 'REFER', 'NOTIFY'],
      accept: ['application/sdp'],
      contactUser: 'gateway',
    },
    service.handlers,
  )
  core = made
  service.attach(made)
  return {
    service,
    engine,
    core: made,
    uri: (user, name) => {
      const bound = transport.boundPorts.find((one) => one.transport === name)
      return `sip:${user}@${HOST}:${bound?.port ?? 0};transport=${name}`
    },
    close: async () => {
      made.close()
      await transport.close()
      await engine.close()
    },
  }
}
