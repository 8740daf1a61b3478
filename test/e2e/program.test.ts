// The program as its users run it: a process of its own, a configuration file, SIP and HTTP from outside.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readWav } from '#audio'
import { silentLogger } from '#kernel'
import { cryptoIds, systemClock } from '#net'
import { openTestProgram } from '../harness/open-program.ts'
import { Softphone } from '../harness/softphone.ts'
import { until } from '../harness/until.ts'

const main = join(import.meta.dirname, '..', '..', 'src', 'app', 'main.js')

const flow = `
name: every-node
nodes:
  - { type: answer }
  - { type: play, file: prompts/notice.wav }
  - { type: callRecording, activity: start, callRecordingServer: '{{ input.recorders }}', callRecordingId: 'case-{{ 40 + 2 }}', wait: true }
  - { type: collect, maxDigits: 8, timeoutMs: 5000, interDigitTimeoutMs: 3000, terminators: '#', into: context.entered }
  - { type: set, path: context.choice, value: '{{ context.entered.digits }}' }
  - type: if
    condition: context.choice === '42'
    then:
      - { type: log, message: 'chosen: {{ context.entered.reason }}' }
    else:
      - { type: log, message: not chosen }
  - { type: wait, ms: 200 }
  - { type: callRecording, activity: stop, wait: true }
  - { type: hangup }
`

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'program-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('a flow of every node runs on a call, and what it recorded is listed, described and served in ranges', async (t) => {
  const recorders = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorders.close())
  const recording = { recorders: [recorders.recorderUri('tcp')] }
  const gateway = await openTestProgram({ flow, gateway: { recording } })
  t.after(() => gateway.close())
  const started = new Promise<void>((resolve) => {
    gateway.program.gateway?.events.add((event) => event.type === 'recording.started' && resolve())
  })
  const phone = await Softphone.open({
    host: '127.0.0.1',
    transport: 'udp',
    clock: systemClock,
    ids: cryptoIds,
    log: silentLogger,
  })
  t.after(() => phone.close())
  const call = await phone.call(`sip:flow@127.0.0.1:${gateway.port('gateway', 'udp')}`)
  assert.equal(await call.answered, true)
  await started
  const { items } = (await json(`${gateway.httpUrl}/api/calls`)) as {
    items: readonly { recording?: { recordingId?: string } }[]
  }
  assert.equal(items[0]?.recording?.recordingId, 'case-42')
  await call.sendDigits('42#')
  await call.ended
  const said = gateway.log.lines.filter((line) => line.message === 'flow says').map((line) => line.fields['text'])
  assert.deepEqual(said, ['chosen: terminator'])
  await until('the recording is published', async () => (await recordings(recorders.httpUrl))[0]?.state === 'published')
  assert.match(
    await text(`${gateway.httpUrl}/metrics`),
    /siprec_gateway_recording_sessions_total\{outcome="closed"\} 1/,
  )
  await assertRecordingServed(recorders.httpUrl)
})

interface ListedRecording {
  readonly recordingId: string
  readonly state: string
  readonly callRecordingId: string
}

async function recordings(url: string): Promise<readonly ListedRecording[]> {
  return ((await json(`${url}/api/recordings`)) as { items: readonly ListedRecording[] }).items
}

async function assertRecordingServed(url: string): Promise<void> {
  const [recording] = await recordings(url)
  assert.equal(recording?.callRecordingId, 'case-42')
  const audio = `${url}/api/recordings/${recording?.recordingId}/audio`
  const whole = new Uint8Array(await (await fetch(audio)).arrayBuffer())
  assert.equal(readWav(whole).ok, true)
  const part = await fetch(audio, { headers: { range: 'bytes=4-99' } })
  assert.equal(part.status, 206)
  assert.deepEqual(new Uint8Array(await part.arrayBuffer()), whole.slice(4, 100))
  assert.match(
    await text(`${url}/api/recordings/${recording?.recordingId}/metadata`),
    /urn:ietf:params:xml:ns:recording:1/,
  )
}

test('a port that is taken ends the program with the key and the port', async (t) => {
  const folder = await folderFor(t)
  const blocker = createServer().listen(0, '127.0.0.1')
  t.after(() => blocker.close())
  await once(blocker, 'listening')
  const address = blocker.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const config = join(folder, 'taken.yaml')
  await writeFile(config, `gateway: { sip: { listen: [{ transport: tcp, port: ${port} }] } }\n`)
  const { status, stderr } = spawnSync(process.execPath, [main, 'start', '--config', config], { encoding: 'utf8' })
  assert.equal(status, 1)
  assert.match(stderr, new RegExp(`gateway\\.sip\\.listen.*tcp 127\\.0\\.0\\.1:${port}.*EADDRINUSE`))
})

test('an unknown key ends the program with file, line and key', async (t) => {
  const folder = await folderFor(t)
  const config = join(folder, 'bad.yaml')
  await writeFile(config, 'log: { level: info }\ngateway:\n  sipp: {}\n')
  const { status, stderr } = spawnSync(process.execPath, [main, 'start', '--config', config], { encoding: 'utf8' })
  assert.equal(status, 1)
  assert.match(stderr, /bad\.yaml:3: gateway\.sipp/)
})

async function json(url: string): Promise<unknown> {
  const response = await fetch(url)
  assert.equal(response.status, 200, url)
  return await response.json()
}

async function text(url: string): Promise<string> {
  const response = await fetch(url)
  assert.equal(response.status, 200, url)
  return await response.text()
}
