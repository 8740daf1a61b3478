// SIPp as the feature server of jambonz behind the gateway: an inbound call is recorded as its INFOs say.

import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodePcmu, tone } from '#audio'
import { shareOfTone } from '../foreign/g711-tones.ts'
import { keptRecording } from '../harness/kept-recording.ts'
import { openTestProgram } from '../harness/open-program.ts'
import { startSipp } from '../harness/sipp.ts'
import { untilIdle } from '../harness/talk.ts'
import { requireTools } from '../harness/tools.ts'

requireTools('sipp')

const HOST = '127.0.0.1'
const TONE_HZ = 400
const STEP_MS = 700

test('INFO-01, INFO-02, INFO-03, INFO-04: a feature server starts, pauses, resumes and stops, and the recorder has the audio', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sipp-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'tone.ulaw'), encodePcmu(tone(TONE_HZ, 1000)))
  const recorders = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorders.close())
  const keys = ['-key', 'srs_url', recorders.recorderUri('tcp'), '-key', 'recording_id', 'case-1']
  const args = ['-rtp_echo', '-d', `${STEP_MS}`, ...keys]
  const server = await startSipp({ scenario: 'feature-server', transport: 'udp', folder, args })
  t.after(() => server.stop())
  const callee = `sip:fs@${HOST}:${server.port};transport=udp`
  const opened = await openTestProgram({ gateway: { routes: [{ match: 'callee', callee }] } })
  t.after(() => opened.close())
  const remote = { user: 'callee', port: opened.port('gateway', 'udp') }
  const calling = await startSipp({
    scenario: 'call-uac-audio',
    transport: 'udp',
    folder,
    remote,
    args: ['-d', `${STEP_MS * 8}`],
  })
  t.after(() => calling.stop())
  await Promise.all([calling.succeeded(), server.succeeded()])
  await untilIdle(opened)
  const { manifest, channels } = await keptRecording(recorders.store)
  assert.equal(manifest.facts.recordingReference, 'case-1')
  assert.equal(channels.length, 2)
  for (const channel of channels) assert.ok(shareOfTone(channel.subarray(1600, 3200), TONE_HZ) > 0.9)
  for (const { totals } of manifest.streams) {
    assert.ok(totals.pauses.length > 0 && totals.pauses.every((pause) => pause.packets === 0))
  }
})
