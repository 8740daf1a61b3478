import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodePcmu, tone } from '#audio'
import { ManualClock } from '#kernel'
import { roomMedia } from '../../test/harness/recorder.ts'
import { RtpSource } from '../../test/harness/rtp-source.ts'
import { until } from '../../test/harness/until.ts'

const PCMU = { payloadType: 0, encoding: 'PCMU/8000', clockRateHz: 8000 }
const FACTS = {
  sip: { callId: 'c', fromUri: 'sip:a@b', toUri: 'sip:c@d', requestUri: 'sip:c@d', source: 'x', transport: 'udp' },
  participants: [],
  sessionIds: [],
  groupIds: [],
  metadataInvalid: false,
  speakers: [],
  speakersInferred: false,
  warnings: [],
}

test('a recorder that is told to pause keeps nothing of what arrives, and the gap says whose pause it was', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'pause-'))
  t.after(() => rm(root, { recursive: true }))
  const clock = new ManualClock()
  const media = roomMedia(root, clock)
  t.after(() => media.close())
  const recordingId = 'r1'
  await media.ask({ type: 'open', recordingId, facts: FACTS })
  const settings = { codecs: [PCMU], isPaused: false }
  const { rtpPort } = await media.ask({ type: 'add-stream', recordingId, settings })
  const source = await RtpSource.open({ host: '127.0.0.1', port: rtpPort })
  t.after(() => source.close())
  let sent = 0
  const talk = async (ms: number) => {
    const voice = encodePcmu(tone(440, ms))
    for (let at = 0; at < voice.length; at += 160) {
      clock.advance(20)
      await source.sendPacket(voice.subarray(at, at + 160))
      sent += 1
      await until(
        'the packet is counted',
        async () => (await media.ask({ type: 'totals' }))[recordingId]?.[0]?.packets === sent,
      )
    }
  }
  await talk(400)
  await media.ask({ type: 'pause', recordingId })
  await talk(2000)
  await media.ask({ type: 'resume', recordingId })
  await talk(400)
  const { manifest } = await media.ask({ type: 'close', recordingId, facts: FACTS })
  const { account, gaps, totals } = manifest.streams[0]!
  assert.deepEqual(gaps, [{ fromMs: 400, toMs: 2400, cause: 'paused-here' }])
  assert.deepEqual(account, { audioMs: 800, missingMs: { 'paused-here': 2000 } })
  assert.equal(totals.discarded, 100)
})
