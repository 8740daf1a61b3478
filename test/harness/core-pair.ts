// SIP cores on a network in memory, with what tests ask for most.

import { type ManualClock, MemoryLogger, seededIds } from '#kernel'
import { createSipCore, type SipBody, type SipCore, type SipCoreHandlers, type SipCoreOptions } from '#sip'
import type { NetworkNode, SipNetwork } from './sip-network.ts'

/** A core with its place on the network. */
export interface CoreNode {
  readonly core: SipCore
  readonly node: NetworkNode
  readonly log: MemoryLogger
}

/** Attaches a core to the network; `options` replace the test defaults. */
export function attachCore(
  network: SipNetwork,
  clock: ManualClock,
  ip: string,
  handlers: SipCoreHandlers,
  options: Partial<SipCoreOptions> & { transports?: ('udp' | 'tcp' | 'tls')[] } = {},
): CoreNode {
  const { transports, ...replaced } = options
  const node = network.attach(`core-${ip}`, ip, transports)
  const log = new MemoryLogger()
  const core = createSipCore(
    {
      name: ip,
      clock,
      ids: seededIds([...ip].reduce((sum, char) => sum * 31 + char.charCodeAt(0), 7)),
      log,
      transport: node.transport,
      locator: node.locator,
      product: 'test/1.0',
      supported: ['timer', 'siprec'],
      allow: ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'INFO', 'UPDATE', 'MESSAGE', 'REFER', 'NOTIFY'],
      accept: ['application/sdp'],
      contactUser: 'gw',
      ...replaced,
    },
    handlers,
  )
  node.bind(core)
  return { core, node, log }
}

/** An SDP body with the given text; the cores do not look inside. */
export function sdp(text: string): SipBody {
  return { contentType: 'application/sdp', content: new TextEncoder().encode(text) }
}
