import assert from 'node:assert/strict'
import { test } from 'node:test'
import { correlate, tone } from '#audio'
import { audioOf, RecorderBench } from '../../test/harness/recorder.ts'
import { offer } from '../../test/harness/recording-offer.ts'

for (const rate of ['8', '0', '9999999']) {
  test(`a clock of ${rate} Hz is none that audio has: its packets are taken for those of 8000 Hz, and heard`, async (t) => {
    const bench = await RecorderBench.open(t)
    const session = await bench.start(offer([{ attributes: ['sendonly', 'label:1', `rtpmap:0 PCMU/${rate}`] }]))
    const source = await bench.source(session, 0)
    const voice = tone(440, 600)
    await bench.talk([source, voice])
    const { manifest, folder } = await bench.end(session)
    assert.ok(manifest.durationMs < 1000, `${manifest.durationMs} ms`)
    assert.ok(correlate(voice, (await audioOf(folder))[0]!, 4000).coefficient > 0.99)
  })
}
