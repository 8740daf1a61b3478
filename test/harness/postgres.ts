// A PostgreSQL cluster of the test's own: made in a temporary folder, on a free port, gone afterwards.

import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { freeTcpPort } from './free-port.ts'

const run = promisify(execFile)
const INSTALLED = '/usr/lib/postgresql'
const RUN_DEADLINE_MS = 60_000

/** A running cluster. */
export interface PostgresCluster {
  /** Makes an empty database; gives its address. */
  database(): Promise<string>
  /** Takes the server down, as an operator or a crash would. */
  stop(): Promise<void>
  /** Brings it back on the same port. */
  start(): Promise<void>
  close(): Promise<void>
}

/** Makes and starts a cluster; fails, with the line that installs it, where PostgreSQL is missing. */
export async function startPostgres(): Promise<PostgresCluster> {
  const versions = existsSync(INSTALLED) ? readdirSync(INSTALLED).sort((a, b) => Number(b) - Number(a)) : []
  assert.ok(versions[0] !== undefined, 'PostgreSQL not found: apt-get install -y postgresql')
  const programs = join(INSTALLED, versions[0], 'bin')
  const folder = mkdtempSync(join(tmpdir(), 'postgres-'))
  const owner = serverUser()
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid)
  const data = join(folder, 'data')
  const tool = async (program: string, args: readonly string[]): Promise<void> => {
    // The server refuses to run as root.
    await run(join(programs, program), [...args], { ...owner, cwd: folder, timeout: RUN_DEADLINE_MS })
  }
  await tool('initdb', ['-D', data, '-U', 'tester', '-A', 'trust', '-E', 'UTF8', '--no-sync', '--locale=C.UTF-8'])
  const port = await freeTcpPort()
  const settings = `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1 -c fsync=off`
  const start = (): Promise<void> =>
    tool('pg_ctl', ['-D', data, '-o', settings, '-l', join(folder, 'log'), '-w', '-t', '60', 'start'])
  const stop = (): Promise<void> => tool('pg_ctl', ['-D', data, '-m', 'immediate', '-w', 'stop'])
  await start()
  let isUp = true
  let databases = 0
  return {
    database: async () => {
      databases += 1
      const client = new pg.Client(`postgres://tester@127.0.0.1:${port}/postgres`)
      await client.connect()
      await client.query(`create database test${databases}`)
      await client.end()
      return `postgres://tester@127.0.0.1:${port}/test${databases}`
    },
    stop: async () => {
      await stop()
      isUp = false
    },
    start: async () => {
      await start()
      isUp = true
    },
    close: async () => {
      if (isUp) await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Whom the server runs as: ourselves, or the user that the package made when we are root. */
function serverUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const idOf = (flag: string): number => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout.trim())
  return { uid: idOf('-u'), gid: idOf('-g') }
}
