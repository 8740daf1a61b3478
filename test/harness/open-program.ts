// The whole program in the test's own process, on free ports: gateway, recorder and HTTP as a configuration switches them on.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { type Clock, type Ids, MemoryLogger } from '#kernel'
import { cryptoIds, systemClock } from '#net'
import { parseConfig } from '../../src/app/config.ts'
import { openProgram, type Program } from '../../src/app/program.ts'
import { tlsFixture } from './tls.ts'

const HOST = '127.0.0.1'
const PORTS = 600

/** Parts of a configuration, as written in YAML. */
export type Section = Readonly<Record<string, unknown>>

type Transport = 'udp' | 'tcp' | 'tls'

/** What to open. */
export interface ProgramOptions {
  /** Keys of `gateway` that differ from a gateway that calls and records on loopback and obeys INFO from there; false: none. */
  readonly gateway?: Section | false
  /** Whether the recorder is opened too. */
  readonly recorder?: boolean
  /** Keys of `recorder` beside its SIP, media and store. */
  readonly recorderKeys?: Section
  /** Keys of the recorder's media beside its ports. */
  readonly recorderMedia?: Section
  /** Keys of the recorder's store. */
  readonly recorderStore?: Section
  /** Both roles listen over TLS too, with the certificates `gw` and `peer`. */
  readonly tls?: boolean
  /** Keys of `http` beside the port. */
  readonly http?: Section
  readonly dnsServers?: readonly string[]
  /** A flow, as YAML, for calls to `flow`. */
  readonly flow?: string
  /** Of all timers but those of the media; the system's when left out. */
  readonly clock?: Clock
  /** Of all that is chosen at random; unforeseeable when left out. */
  readonly ids?: Ids
}

/** A program, its log and its folder. */
export interface TestProgram {
  readonly program: Program
  readonly log: MemoryLogger
  readonly folder: string
  /** Folder of the recordings. */
  readonly store: string
  /** Port of a role. */
  port(role: 'gateway' | 'recorder', transport: Transport): number
  /** URI of the recorder over a transport. */
  recorderUri(transport: Transport): string
  readonly httpUrl: string
  /** First and last RTP port of a role. */
  mediaPorts(role: 'gateway' | 'recorder'): readonly [number, number]
  /** Closes it, as told to stop in good order, and removes its folder; idempotent. */
  close(): Promise<void>
}

/** Opens a program; close it when done. */
export async function openTestProgram(options: ProgramOptions): Promise<TestProgram> {
  const folder = await mkdtemp(join(tmpdir(), 'program-'))
  const flowFile = join(folder, 'flow.yaml')
  if (options.flow !== undefined) await writeFile(flowFile, options.flow)
  const store = join(folder, 'recordings')
  const written = stringify(
    {
      http: { port: 0, folder: join(folder, 'http'), ...options.http },
      dns: { servers: options.dnsServers ?? [] },
      ...(options.gateway === false ? {} : { gateway: gatewaySection(options, flowFile) }),
      ...(options.recorder === true
        ? {
            recorder: {
              ...recorderSection({ folder: store, ...options.recorderStore }, options),
              ...options.recorderKeys,
            },
          }
        : {}),
    },
    { aliasDuplicateObjects: false },
  )
  const config = parseConfig(written, 'test.yaml')
  if (!config.ok) throw new Error(JSON.stringify(config.error))
  const log = new MemoryLogger()
  const program = await openProgram(config.value, log, options.clock ?? systemClock, options.ids)
  const port: TestProgram['port'] = (role, transport) =>
    program[role]?.listeners.find((listener) => listener.transport === transport)?.port ?? 0
  let closing: Promise<void> | undefined
  return {
    program,
    log,
    folder,
    store,
    port,
    recorderUri: (transport) => `sip:srs@${HOST}:${port('recorder', transport)};transport=${transport}`,
    mediaPorts: (role) => {
      const { portMin = 0, portMax = 0 } = config.value[role]?.media ?? {}
      return [portMin, portMax]
    },
    httpUrl: `http://${HOST}:${program.http?.address.port ?? 0}`,
    close: () => {
      closing ??= program.close(0).then(() => rm(folder, { recursive: true, force: true }))
      return closing
    },
  }
}

const anyPorts = {
  listen: [
    { transport: 'udp', port: 0 },
    { transport: 'tcp', port: 0 },
  ],
}

/** SIP of one role, with a TLS listener if wanted, on ports of the system's choice. */
export function sipSection(certificate: string, isTls = false): Section {
  if (!isTls) return anyPorts
  const listen = [...anyPorts.listen, { transport: 'tls', port: 0 }]
  const [certFile, keyFile] = [tlsFixture(`${certificate}.cert.pem`), tlsFixture(`${certificate}.key.pem`)]
  return { listen, tls: { certFile, keyFile, caFile: tlsFixture('ca.cert.pem') } }
}

function gatewaySection(options: ProgramOptions, flowFile: string): Section {
  const portMin = 22_000 + 2 * cryptoIds.integer(3000)
  const given = options.gateway === false ? {} : (options.gateway ?? {})
  const flowRoutes = options.flow === undefined ? [] : [{ match: 'flow', flow: flowFile }]
  return {
    sip: sipSection('gw', options.tls),
    media: { portMin, portMax: portMin + PORTS },
    destinations: { dial: [HOST], record: ['127.0.0.0/8', '.example.com', '.test'] },
    info: { trustedPeers: [HOST] },
    awareness: { exempt: 'test' },
    ...given,
    routes: [...flowRoutes, ...((given['routes'] as readonly Section[] | undefined) ?? [])],
  }
}

function recorderSection(store: Section, { tls, recorderMedia }: ProgramOptions): Section {
  const portMin = 12_000 + 2 * cryptoIds.integer(3000)
  return { sip: sipSection('peer', tls), media: { portMin, portMax: portMin + PORTS, ...recorderMedia }, store }
}
