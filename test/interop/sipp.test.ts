// SIPp calls through the gateway, records at the recorder, and is the recorder itself; both sides' truth is compared.

import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { encodePcmu, tone } from '#audio'
import { shareOfTone } from '../foreign/g711-tones.ts'
import { keptRecording } from '../harness/kept-recording.ts'
import { openTestProgram, type ProgramOptions, type TestProgram } from '../harness/open-program.ts'
import { type Sipp, type SippOptions, startSipp } from '../harness/sipp.ts'
import { CallDesk, untilIdle } from '../harness/talk.ts'
import { requireTools } from '../harness/tools.ts'
import { until } from '../harness/until.ts'

requireTools('sipp')

const HOST = '127.0.0.1'
const TONE_HZ = 400
const transports = ['udp', 'tcp'] as const

type Run = Omit<SippOptions, 'folder'>

interface Scene {
  readonly opened: TestProgram
  run(options: Run): Promise<Sipp>
}

/** A program whose calls to `callee` go to a SIPp callee that waits there. */
async function openScene(
  t: TestContext,
  calleeTransport: 'udp' | 'tcp' | undefined,
  options: ProgramOptions = {},
  scenario = 'call-uas',
): Promise<Scene & { readonly callee: Sipp | undefined }> {
  const logs = await openTestFolder(t)
  const start = async (run: Run): Promise<Sipp> => {
    const sipp = await startSipp({ ...run, folder: logs })
    t.after(() => sipp.stop())
    return sipp
  }
  const callee =
    calleeTransport === undefined
      ? undefined
      : await start({ scenario, transport: calleeTransport, args: ['-rtp_echo'] })
  const routes =
    callee === undefined
      ? []
      : [{ match: 'callee', callee: `sip:callee@${HOST}:${callee.port};transport=${calleeTransport}` }]
  const opened = await openTestProgram({ ...options, gateway: { routes } })
  t.after(() => opened.close())
  return { opened, callee, run: start }
}

async function openTestFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sipp-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'tone.ulaw'), encodePcmu(tone(TONE_HZ, 1000)))
  return folder
}

for (const caller of transports) {
  for (const callee of transports) {
    test(`SIPp calls SIPp through the gateway, ${caller} to ${callee}`, async (t) => {
      const scene = await openScene(t, callee)
      const remote = { user: 'callee', port: scene.opened.port('gateway', caller) }
      const calling = await scene.run({ scenario: 'call-uac', transport: caller, remote, args: ['-d', '500'] })
      await Promise.all([calling.succeeded(), scene.callee?.succeeded()])
      await untilIdle(scene.opened)
    })
  }

  test(`SIP-13: SIPp cancels while it rings, over ${caller}`, async (t) => {
    const scene = await openScene(t, caller, {}, 'call-ringing')
    const remote = { user: 'callee', port: scene.opened.port('gateway', caller) }
    const calling = await scene.run({ scenario: 'call-cancel', transport: caller, remote })
    await Promise.all([calling.succeeded(), scene.callee?.succeeded()])
    await untilIdle(scene.opened)
  })

  test(`SIPp has its call recorded by INFO over ${caller}: start, pause, resume, stop`, async (t) => {
    const scene = await openScene(t, 'udp', { recorder: true })
    const { opened } = scene
    const args = ['-d', '500', '-key', 'srs_url', opened.recorderUri('tcp'), '-key', 'recording_id', 'case-1']
    const remote = { user: 'callee', port: opened.port('gateway', caller) }
    const calling = await scene.run({ scenario: 'call-info', transport: caller, remote, args })
    await Promise.all([calling.succeeded(), scene.callee?.succeeded()])
    await untilIdle(opened)
    const { manifest } = await keptRecording(opened.store)
    assert.equal(manifest.facts.recordingReference, 'case-1')
    assert.equal(manifest.streams.length, 2)
    for (const { totals } of manifest.streams) {
      assert.ok(totals.pauses.length > 0 && totals.pauses.every((pause) => pause.packets === 0))
    }
    const events = opened.log.lines.flatMap((line) => String(line.fields['event'] ?? ''))
    for (const event of ['started', 'paused', 'resumed', 'stopped']) {
      assert.ok(events.includes(`recording.${event}`), event)
    }
  })
}

test('a tone that SIPp speaks and its callee echoes is on both channels of the recording', async (t) => {
  const scene = await openScene(t, 'udp', { recorder: true })
  const { opened } = scene
  const remote = { user: 'callee', port: opened.port('gateway', 'udp') }
  const args = ['-d', '4000']
  const calling = await scene.run({ scenario: 'call-uac-audio', transport: 'udp', remote, args })
  const callOf = () => opened.program.gateway?.calls.list()[0]
  await until('the call is up', () => callOf()?.answeredAt !== undefined)
  const desk = new CallDesk(opened, callOf()?.callId ?? '')
  assert.equal((await desk.rest('start', opened.recorderUri('tcp'))).status, 200)
  await Promise.all([calling.succeeded(), scene.callee?.succeeded()])
  const { manifest, channels } = await keptRecording(opened.store)
  assert.equal(manifest.state, 'published')
  assert.equal(channels.length, 2)
  const middle = channels[0]!.length >> 1
  for (const channel of channels) {
    assert.ok(shareOfTone(channel.subarray(middle, middle + 3200), TONE_HZ) > 0.9)
  }
})

for (const transport of transports) {
  test(`SRS-01, SRS-10, SRS-11: a SIPREC client of SIPp records over ${transport}`, async (t) => {
    const scene = await openScene(t, undefined, { recorder: true })
    const { opened } = scene
    const remote = { user: 'recorder', port: opened.port('recorder', transport) }
    const client = await scene.run({ scenario: 'siprec-client', transport, remote, args: ['-d', '300'] })
    await client.succeeded()
    await until('the session is over', async () => {
      const page = await opened.program.recorder?.recordings.search({ limit: 10 })
      return page?.items[0]?.state === 'no-audio'
    })
    const { manifest } = await keptRecording(opened.store)
    assert.equal(manifest.cause, 'no-rtp')
    assert.deepEqual(
      manifest.streams.map((stream) => stream.label),
      ['96', '98'],
    )
    assert.equal(manifest.facts.metadataInvalid, false)
    assert.equal(manifest.metadata.length, 2)
  })
}

test('SRC-11, SRS-10: SIPp is a recorder without TCP: start, pause, resume, stop', async (t) => {
  const scene = await openScene(t, 'udp')
  const { opened } = scene
  const recorder = await scene.run({ scenario: 'udp-recorder', transport: 'udp' })
  const remote = { user: 'callee', port: opened.port('gateway', 'udp') }
  const url = `sip:recorder@${HOST}:${recorder.port}`
  const args = ['-d', '500', '-key', 'srs_url', url, '-key', 'recording_id', 'case-2']
  const calling = await scene.run({ scenario: 'call-info', transport: 'udp', remote, args })
  await Promise.all([calling.succeeded(), scene.callee?.succeeded(), recorder.succeeded()])
  await untilIdle(opened)
})
