// SIP of the gateway: what it supports, understands and takes, and from whom.

import type { CallService } from '#call'
import type { GatewayConfig } from '../config-schema.ts'
import { openSipRole, type SipRole, type Surroundings } from '../sip-role.ts'
import { admission } from '../source-list.ts'
import type { TestCallLines } from '../test-calls/test-call-lines.ts'

/** Name of the gateway's SIP core, by which its messages are known in traces. */
export const gatewayCore = 'gateway'

/** Binds the listeners; rejects with AppError `net.*` that names what failed. */
export function openGatewaySip(
  { sip, sources }: GatewayConfig,
  handlers: CallService['handlers'],
  testLines: TestCallLines,
  around: Surroundings,
): Promise<SipRole> {
  const admits = admission(sources)
  return openSipRole(
    {
      name: gatewayCore,
      sip,
      contactUser: 'gateway',
      supported: ['replaces', 'timer', '100rel', 'record-aware'],
      // A recorder's own requests require it (RFC 7866 section 6.2).
      understood: ['siprec'],
      allow: ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'INFO', 'UPDATE', 'PRACK', 'REFER', 'NOTIFY'],
      accept: [
        'application/sdp',
        'application/rs-metadata+xml',
        'application/rs-metadata',
        'application/json',
        'application/dtmf-relay',
      ],
      admit: (flow) => admits(flow) || testLines.admits(flow),
      handlers,
    },
    around,
  )
}
