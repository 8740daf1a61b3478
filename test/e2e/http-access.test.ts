// Access to the HTTP API as its users meet it: the command line, the first start, HTTPS.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { openTestProgram } from '../harness/open-program.ts'
import { tlsFixture } from '../harness/tls.ts'
import { until } from '../harness/until.ts'

const main = join(import.meta.dirname, '..', '..', 'src', 'app', 'main.js')

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'access-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function run(
  args: readonly string[],
  input = '',
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', input })
}

test('an account with a hash of the command line signs in, and a token of the command line counts at once', async (t) => {
  const folder = await folderFor(t)
  const hash = run(['hash-password'], 'a long password\n').stdout.trim()
  const http = { folder, accounts: [{ name: 'anna', passwordHash: hash, role: 'viewer' }] }
  const opened = await openTestProgram({ http })
  t.after(() => opened.close())
  const config = join(folder, 'tokens-only.yaml')
  await writeFile(config, `http: { folder: ${folder} }\ngateway: {}\n`)

  assert.equal((await fetch(`${opened.httpUrl}/api/calls`)).status, 401)
  const signIn = await fetch(`${opened.httpUrl}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'anna', password: 'a long password' }),
  })
  assert.equal(signIn.status, 200)

  const made = run(['token', 'create', '--config', config, '--name', 'reader', '--scopes', 'calls:read', '--days', '1'])
  const headers = { authorization: `Bearer ${made.stdout.trim()}` }
  assert.equal((await fetch(`${opened.httpUrl}/api/calls`, { headers })).status, 200)
  const listed = run(['token', 'list', '--config', config]).stdout
  assert.match(listed, /^[0-9a-f]{8} {2}\S+Z {2}reader {2}calls:read\n$/)
  assert.equal(run(['token', 'revoke', '--config', config, listed.slice(0, 8)]).status, 0)
  assert.equal((await fetch(`${opened.httpUrl}/api/calls`, { headers })).status, 401)
  const wrong = run(['token', 'create', '--config', config, '--name', 'x', '--scopes', 'calls:reed'])
  assert.equal(wrong.status, 1)
  assert.match(wrong.stderr, /calls:reed is no scope; one of calls:read/)
})

test('on an address that is not loopback the first start makes an account and prints its password once', async (t) => {
  const folder = await folderFor(t)
  const config = join(folder, 'open.yaml')
  const sip = '{ listen: [{ transport: udp, port: 0 }] }'
  await writeFile(
    config,
    `http: { host: 0.0.0.0, port: 0, console: false, folder: ${folder} }\ngateway: { sip: ${sip} }\n`,
  )
  const first = await started(t, config)
  const password = /name admin, password ([0-9a-f]{18})/.exec(first.printed())?.[1] ?? ''
  assert.equal((await fetch(`${first.url}/api/calls`)).status, 401)
  const body = JSON.stringify({ name: 'admin', password })
  const options = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
  assert.equal((await fetch(`${first.url}/api/session`, options)).status, 200)
  await first.stop()
  assert.ok(!(await readFile(join(folder, 'accounts.json'), 'utf8')).includes(password))

  const second = await started(t, config)
  assert.equal(second.printed(), '')
  assert.equal((await fetch(`${second.url}/api/session`, options)).status, 200)
  await second.stop()
})

test('on such an address a start where nobody could sign in, ever, ends with what to do', async (t) => {
  const folder = await folderFor(t)
  const config = join(folder, 'open.yaml')
  await writeFile(join(folder, 'file'), '')
  await writeFile(
    config,
    `http: { host: 0.0.0.0, port: 0, folder: ${folder}/file/x }\nrecorder: { sip: { listen: [{ transport: udp, port: 0 }] }, store: { folder: ${folder}/r } }\n`,
  )
  const { status, stderr } = run(['start', '--config', config])
  assert.equal(status, 1)
  assert.match(stderr, /http\.host is no loopback address.*set http\.accounts/)
})

test('a secret of the sign-in service that cannot be had ends the start with the key, and is never told', async (t) => {
  const folder = await folderFor(t)
  const config = join(folder, 'oidc.yaml')
  await writeFile(
    config,
    'recorder: {}\nhttp:\n  oidc: { issuer: https://login.example.com, clientId: rec, secretVariable: NO_SUCH_SECRET }\n',
  )
  const { status, stderr } = run(['start', '--config', config])
  assert.equal(status, 1)
  assert.match(stderr, /oidc\.yaml:3: http\.oidc\.secretVariable: the name of a variable that is set/)
  assert.doesNotMatch(stderr, /NO_SUCH_SECRET/)
})

test('the API is served over HTTPS, and a renewed certificate is shown without a restart', async (t) => {
  const folder = await folderFor(t)
  const tls = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') }
  const put = async (name: string): Promise<void> => {
    await copyFile(tlsFixture(`${name}.cert.pem`), tls.certFile)
    await copyFile(tlsFixture(`${name}.key.pem`), tls.keyFile)
  }
  await put('gw')
  const opened = await openTestProgram({ http: { tls } })
  t.after(() => opened.close())
  const { port } = new URL(opened.httpUrl)
  const ca = await readFile(tlsFixture('ca.cert.pem'))
  const get = () =>
    new Promise<{ status: number | undefined; hsts: unknown; shown: string }>((resolve, reject) => {
      const own = {
        host: '127.0.0.1',
        port,
        path: '/api/calls',
        ca,
        agent: false,
        checkServerIdentity: () => undefined,
      }
      request(own, (response) => {
        const shown = (response.socket as TLSSocket).getPeerCertificate().fingerprint256
        response.resume()
        resolve({ status: response.statusCode, hsts: response.headers['strict-transport-security'], shown })
      })
        .on('error', reject)
        .end()
    })
  const first = await get()
  assert.equal(first.status, 200)
  assert.match(String(first.hsts), /max-age/)
  await put('peer')
  await opened.program.renewTls()
  const second = await get()
  assert.equal(second.status, 200)
  assert.notEqual(second.shown, first.shown)
  await writeFile(tls.certFile, 'broken')
  await opened.program.renewTls()
  assert.equal((await get()).shown, second.shown)
})

interface Started {
  readonly url: string
  /** What went to standard error. */
  printed(): string
  stop(): Promise<void>
}

async function started(t: TestContext, config: string): Promise<Started> {
  const child = spawn(process.execPath, [main, 'start', '--config', config], { stdio: ['ignore', 'pipe', 'pipe'] })
  t.after(() => child.kill('SIGKILL'))
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  let [out, errors] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  await until('it is ready', () => out.includes('"message":"ready"'), 30_000)
  const [, port] = /"http":\{"host":"[^"]+","port":(\d+)\}/.exec(out) ?? []
  return {
    url: `http://127.0.0.1:${port}`,
    printed: () => errors,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}
