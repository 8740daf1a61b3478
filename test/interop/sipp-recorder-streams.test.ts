// A recorder of SIPp that takes any number of streams and reads each m-line of each offer; what only its log of all offers shows is read there.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type LoggedOffer, offersIn } from '../harness/sipp-log.ts'
import { openSippRecorder, packetsDuring, type SippRecorder, untilHeard } from '../harness/sipp-recorder.ts'
import { joinTalk, openPhone, openTalk } from '../harness/talk.ts'
import { requireTools } from '../harness/tools.ts'
import { until } from '../harness/until.ts'

requireTools('sipp')

const MOST_LINES = 16
const DEADLINE_MS = 30_000

function openRecorder(t: TestContext): Promise<SippRecorder> {
  return openSippRecorder(t, 'recorder-streams', { most_lines: `${MOST_LINES}` }, 1, MOST_LINES)
}

async function offersAt(recorder: SippRecorder): Promise<LoggedOffer[]> {
  return offersIn(await recorder.messages())
}

const running = ({ sdp }: LoggedOffer): string[] =>
  sdp.media.filter(({ port }) => port !== 0).map(({ label = '' }) => label)

/** Waits until the last offer has so many streams; resolves with it. */
async function offerOf(recorder: SippRecorder, streams: number): Promise<LoggedOffer> {
  let last: LoggedOffer | undefined
  const isThere = async (): Promise<boolean> => {
    last = (await offersAt(recorder)).at(-1)
    return last !== undefined && running(last).length === streams
  }
  await until(`the last offer has ${streams} streams`, isThere, DEADLINE_MS)
  return last!
}

test('SRC-27, SRC-28, SRC-30, SRC-34, SRC-35: third parties come and go: an m-line and a label for each, port 0 and silence after it, and never more than 16', async (t) => {
  const recorder = await openRecorder(t)
  const carol = await openPhone(t, 'carol', 'udp')
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', recorder.uri)).status, 200, await recorder.messages())
  await untilHeard(recorder)
  const labels = running(await offerOf(recorder, 2))
  const comings = MOST_LINES - 2 + 2
  for (let coming = 1; coming <= comings; coming += 1) {
    const third = await joinTalk(talk, carol)
    const { sdp } = await offerOf(recorder, 3)
    assert.equal(
      sdp.media.length,
      Math.min(2 + coming, MOST_LINES),
      'appended while there is room, then put into a slot',
    )
    const line = sdp.media.findIndex(({ port, label = '' }) => port !== 0 && !labels.includes(label))
    assert.notEqual(line, -1, 'a label of its own')
    labels.push(sdp.media[line]!.label!)
    const before = recorder.packets(line)
    await until('the third is heard', () => recorder.packets(line) >= before + 5, DEADLINE_MS)
    await third.hangup()
    const left = await offerOf(recorder, 2)
    assert.equal(left.sdp.media[line]!.port, 0)
    assert.equal(left.sdp.media.length, sdp.media.length)
    if (coming > 1 && coming < comings) continue
    // What was under way when the stream was removed has come by then.
    await packetsDuring(recorder, () => talk.caller.heard().length)
    const silent = recorder.packets(line)
    await packetsDuring(recorder, () => talk.caller.heard().length)
    assert.equal(recorder.packets(line), silent, 'nothing comes for a stream that was removed')
  }
  assert.equal(new Set(labels).size, 2 + comings)
  assert.equal((await talk.rest('stop')).status, 200)
  await recorder.succeeded()
  await talk.assertUndisturbed()
  await talk.end()
})
