// SIP of one role: sockets, resolver and core put together.

import type { Clock, Ids, Logger } from '#kernel'
import { type BoundListener, createLocator, SipTransport } from '#net'
import {
  createSipCore,
  type SessionTimerWish,
  type SipCore,
  type SipCoreHandlers,
  type SipCoreOptions,
  type SipFlow,
} from '#sip'
import type { SipConfig } from './config-schema.ts'
import { readTls } from './tls-files.ts'
import { TlsRenewal } from './tls-renewal.ts'

/** What all roles of a process share. */
export interface Surroundings {
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
  readonly dnsServers: readonly string[]
}

/** How a role's SIP is set up. */
export interface SipRoleOptions {
  readonly name: string
  readonly sip: SipConfig
  readonly contactUser: string
  readonly contactParams?: string
  readonly supported: readonly string[]
  readonly understood?: readonly string[]
  readonly allow: readonly string[]
  readonly accept: readonly string[]
  readonly admit: (flow: SipFlow) => boolean
  readonly authenticate?: NonNullable<SipCoreOptions['authenticate']>
  readonly onRefused?: NonNullable<SipCoreOptions['onRefused']>
  readonly isAvailable?: () => boolean
  readonly isTolerant?: boolean
  readonly handlers: SipCoreHandlers
}

/** Open SIP of a role. */
export interface SipRole {
  readonly core: SipCore
  readonly listeners: readonly BoundListener[]
  census(): {
    readonly dialogs: number
    readonly transactions: number
    readonly timers: number
    readonly connections: number
  }
  /** Reads the certificates anew; bad ones are logged, and the old stay in force. */
  renewTls(): Promise<void>
  close(): Promise<void>
}

/** Version of the program. */
export const productVersion = '0.1'

/** Name and version in User-Agent and Server. */
export const product = `siprec-gateway/${productVersion}`

/** Binds the listeners; rejects with AppError `net.*` that names what failed. */
export async function openSipRole(options: SipRoleOptions, around: Surroundings): Promise<SipRole> {
  const log = around.log.child({ role: options.name })
  const { advertisedHost } = options.sip
  const tls = await readTls(options.sip.tls)
  let core: SipCore | undefined
  const transport = await SipTransport.open({
    listen: options.sip.listen.map((listen) => ({
      ...listen,
      ...(advertisedHost === undefined ? {} : { advertisedHost }),
    })),
    ...(tls === undefined ? {} : { tls }),
    clock: around.clock,
    log,
    isTolerant: options.isTolerant === true,
    onMessage: (bytes, flow) => core?.receive(bytes, flow),
  })
  const renewal =
    options.sip.tls === undefined
      ? undefined
      : new TlsRenewal({
          tls: options.sip.tls,
          clock: around.clock,
          log,
          apply: (renewed) => transport.renewTls(renewed),
        })
  if (tls !== undefined) await renewal?.start(tls)
  const locator = createLocator({
    servers: around.dnsServers,
    supports: (name) => transport.supports(name),
    clock: around.clock,
    ids: around.ids,
    log,
  })
  const { handlers, sip, ...coreOptions } = options
  const sessionTimer = sessionTimerOf(sip)
  core = createSipCore(
    {
      ...coreOptions,
      ...(sessionTimer === undefined ? {} : { sessionTimer }),
      product,
      transport,
      locator,
      clock: around.clock,
      ids: around.ids,
      log,
    },
    handlers,
  )
  const opened = core
  return {
    core: opened,
    listeners: transport.boundPorts,
    census: () => {
      const sockets = transport.census()
      return { ...opened.census(), connections: sockets.inbound + sockets.outbound }
    },
    renewTls: async () => renewal?.renew(),
    close: async () => {
      renewal?.close()
      opened.close()
      await transport.close()
    },
  }
}

/** The session timer that calls ask for, if any. */
export function sessionTimerOf({ sessionTimerSeconds }: SipConfig): SessionTimerWish | undefined {
  return sessionTimerSeconds === undefined ? undefined : { expiresSeconds: sessionTimerSeconds }
}
