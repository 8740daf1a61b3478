// The program: the roles that a configuration switches on, in one process, with their HTTP API.

import { open, realpath } from 'node:fs/promises'
import { cwd } from 'node:process'
import type { Readiness } from '#control'
import { AppError, type Clock, type Ids, type Logger, messageOf } from '#kernel'
import { cryptoIds, systemClock } from '#net'
import type { Config } from './config-schema.ts'
import { FlowLibrary } from './flow-library.ts'
import { type Gateway, openGateway } from './gateway.ts'
import { type Http, openHttp } from './http.ts'
import { PromptLibrary } from './prompt-library.ts'
import { openRecorder, type Recorder } from './recorder.ts'
import { setUpOf } from './set-up.ts'
import type { Surroundings } from './sip-role.ts'

/** A running program. */
export interface Program {
  readonly gateway: Gateway | undefined
  readonly recorder: Recorder | undefined
  readonly http: Http | undefined
  /** Reads the certificates anew, for connections made from now on. */
  renewTls(): Promise<void>
  /** Looks at the files of the flows now; those that changed and are valid are for new calls. */
  reloadFlows(): Promise<void>
  /** Lets calls and recordings end, at most `graceMs`, then closes everything. Idempotent. */
  close(graceMs: number): Promise<void>
}

const promptFolder = 'prompts'

/** Opens the roles of the configuration, all or none; rejects with an AppError that names the key or port at fault. */
export async function openProgram(
  config: Config,
  log: Logger,
  clock: Clock = systemClock,
  ids: Ids = cryptoIds,
): Promise<Program> {
  const around: Surroundings = { clock, ids, log, dnsServers: config.dns.servers }
  const opened: { flows?: FlowLibrary; gateway?: Gateway; recorder?: Recorder; http?: Http } = {}
  const closeAll = async (): Promise<void> => {
    opened.flows?.close()
    await opened.http?.close()
    await opened.gateway?.close()
    await opened.recorder?.close()
  }
  let closing: Promise<void> | undefined
  const readiness = (): Readiness => {
    const checks = {
      ...(opened.gateway === undefined ? {} : { gateway: closing === undefined }),
      ...(opened.recorder === undefined
        ? {}
        : { recorder: closing === undefined && opened.recorder.server.isAvailable }),
    }
    return { ready: Object.values(checks).every((isReady) => isReady), checks }
  }
  try {
    if (config.recorder !== undefined) {
      opened.recorder = await named('recorder.sip.listen', openRecorder(config.recorder, around))
    }
    if (config.gateway !== undefined) {
      const files = config.gateway.routes.flatMap((route) => (route.flow === undefined ? [] : [route.flow]))
      opened.flows = await FlowLibrary.open({ files, clock, log })
      const library = { flows: opened.flows, prompts: promptLibrary() }
      opened.gateway = await named(
        'gateway.sip.listen',
        openGateway(config.gateway, library, around, (session) => opened.recorder?.alarmBoard.alarmsOf(session)),
      )
    }
    if (config.http !== undefined)
      opened.http = await named(
        'http.port',
        openHttp(config.http, { ...opened, setUp: setUpOf(config, opened) }, around, readiness),
      )
  } catch (fault) {
    await closeAll()
    throw fault
  }
  return {
    gateway: opened.gateway,
    recorder: opened.recorder,
    http: opened.http,
    renewTls: async () => {
      await Promise.all([opened.gateway?.renewTls(), opened.recorder?.renewTls(), opened.http?.renewTls()])
    },
    reloadFlows: async () => opened.flows?.reload(),
    close: (graceMs) => {
      closing ??= drained(opened, graceMs).then(closeAll)
      return closing
    },
  }
}

async function drained(roles: { gateway?: Gateway; recorder?: Recorder }, graceMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, graceMs)
  })
  await Promise.race([Promise.all([roles.gateway?.drain(), roles.recorder?.drain()]), patience])
  clearTimeout(timer)
}

/** Adds the configuration key to a failure to listen. */
async function named<T>(key: string, opening: Promise<T>): Promise<T> {
  try {
    return await opening
  } catch (fault) {
    if (fault instanceof AppError && !fault.code.startsWith('net.')) throw fault
    const verdict = { result: 'client', reason: 'listen-failed' } as const
    throw new AppError('app.listen-failed', `${key}: ${messageOf(fault)}`, verdict, { cause: fault })
  }
}

function promptLibrary(): PromptLibrary {
  return new PromptLibrary({ base: cwd(), allowed: promptFolder, files: { realPath: realpath, read: readBounded } })
}

async function readBounded(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    return size > maxBytes ? undefined : await file.readFile()
  } finally {
    await file.close()
  }
}
