// Rows SRC-28, SRC-35, RTP-04: the streams of a recording session while parties come and go.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'
import { mediaLines } from '../harness/recording-message.ts'

function row(name: string, run: (bench: RecordingBench) => Promise<void>): void {
  test(name, () => withBench(run))
}

row(
  'SRC-28, SRC-35: twenty callees come and go on two m-lines, whose labels stay with their streams',
  async (bench) => {
    const recorder = await bench.recording()
    for (let i = 0; i < 20; i++) {
      const party = bench.call.join(`callee-${i}`, `sip:agent-${i}@desk.example`)
      await bench.pass(1_000)
      bench.call.leave(party)
      await bench.pass(1_000)
    }
    const documents = [recorder.session().first, ...recorder.session().reoffers]
    assert.equal(documents.length, 41)
    const streams = new Set<string>()
    for (const message of documents) {
      assert.deepEqual(mediaLines(message), ['port sendonly 1', 'port sendonly 2'])
      for (const { streamId, label } of message.document?.streams ?? []) streams.add(`${label} ${streamId}`)
    }
    assert.equal(streams.size, 2)
    assert.equal(documents.at(-1)?.document?.participants.length, 22, 'everyone who took part is told of')
  },
)

row('RTP-04: rtcp-mux is not offered, and RTCP goes to the port after that of RTP', async (bench) => {
  const recorder = await bench.recording()
  assert.doesNotMatch(recorder.session().first.sdp, /rtcp-mux/)
  for (const { remote } of bench.call.media.forks.values()) {
    assert.equal(remote?.remote.rtcp.port, (remote?.remote.rtp.port ?? 0) + 1)
  }
})
