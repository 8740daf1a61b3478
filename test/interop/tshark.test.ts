// tshark dissects a whole recorded call: SIP, SDP, multipart, XML, RTP and RTCP are recognised, nothing is malformed, nothing is lost.

import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openRecordedTalk } from '../harness/recorded-talk.ts'
import { requireTools, runTool, startTool } from '../harness/tools.ts'
import { until } from '../harness/until.ts'

requireTools('tshark')

const LAST = 'the last datagram of this capture'
const CAPTURE_DEADLINE_MS = 20_000
/** Only what our layers wrote is judged: not TCP itself, whose capture on loopback has oversized segments. */
const SEVERE = '_ws.expert.severity == "Error" && (sip || sdp || rtp || rtcp || mime_multipart || xml)'

/** Captures what passes `filter` on loopback while `act` runs; resolves with the file. `port` passes the filter and is free. */
async function capture(t: TestContext, filter: string, port: number, act: () => Promise<unknown>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'capture-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'call.pcapng')
  const running = startTool('tshark', ['-q', '-i', 'lo', '-B', '16', '-f', filter, '-w', file], folder)
  let said = ''
  running.onStderr((text) => {
    said = text
  })
  await until(`tshark captures (it needs root): ${said}`, () => /Capturing on/.test(said), CAPTURE_DEADLINE_MS)
  await act()
  // Packets are written late: the last one of all is waited for.
  await sendLast(port)
  await until('the capture is written', async () => (await readFile(file)).includes(LAST), CAPTURE_DEADLINE_MS)
  running.stop()
  const { code, stderr } = await running.ended
  assert.equal(code, 0, stderr)
  return file
}

function sendLast(port: number): Promise<void> {
  const socket = createSocket('udp4')
  return new Promise((resolve) => {
    socket.send(LAST, port, '127.0.0.1', () => socket.close(() => resolve()))
  })
}

for (const transport of ['udp', 'tcp'] as const) {
  test(`SRC-24, SRC-25, SRC-36: tshark reads a recorded call over ${transport} without objection`, async (t) => {
    const scene = await openRecordedTalk(t)
    const { opened } = scene
    const sipPorts = [opened.port('gateway', 'udp'), opened.port('gateway', 'tcp')]
    sipPorts.push(opened.port('recorder', 'udp'), opened.port('recorder', 'tcp'))
    const ranges = (['gateway', 'recorder'] as const).map((role) => `portrange ${opened.mediaPorts(role).join('-')}`)
    const filter = [...sipPorts.map((port) => `port ${port}`), ...ranges].join(' or ')
    const file = await capture(t, filter, opened.mediaPorts('gateway')[1], () => scene.play(transport))
    const decode = sipPorts.flatMap((port) => ['-d', `udp.port==${port},sip`, '-d', `tcp.port==${port},sip`])
    const read = async (...args: readonly string[]): Promise<string[]> => {
      const { stdout } = await runTool('tshark', ['-r', file, '-2', ...decode, ...args])
      return stdout.split('\n').filter((line) => line !== '')
    }
    const select = (filter: string): Promise<string[]> => read('-Y', filter)

    assert.deepEqual(await select('_ws.malformed && (sip || rtp || rtcp || sdp)'), [])
    assert.deepEqual(await select(SEVERE), [])

    const recording = 'sip.Method == "INVITE" && sip.Require contains "siprec"'
    const invites = await select(recording)
    assert.ok(invites.length >= 3, 'start, pause and resume are recognised')
    assert.ok((await select(`${recording} && mime_multipart && sdp && xml`)).length >= 1, 'multipart, SDP and XML')
    assert.ok((await select('sip.Method == "BYE"')).length >= 2, 'the BYEs')
    assert.ok((await select('rtcp')).length > 0, 'RTCP')

    const streams = (await read('-q', '-z', 'rtp,streams')).filter((line) => /0x[0-9A-F]{8}/i.test(line))
    // Two legs in two directions, and two copies.
    assert.ok(streams.length >= 6, streams.join('\n'))
    for (const stream of streams) assert.match(stream, /\s0 \(0\.0%\)/, stream)
    assert.ok((await select('rtp.p_type == 0')).length > 200, 'RTP')

    const times = (offered: string): Promise<string[]> =>
      read('-Y', `${recording} && sdp.media_attr == "${offered}"`, '-T', 'fields', '-e', 'frame.time_epoch')
    const [pause = '', resume = ''] = [(await times('inactive')).at(0), (await times('sendonly')).at(-1)]
    const [first, last] = opened.mediaPorts('recorder')
    const copies = `rtp && udp.dstport >= ${first} && udp.dstport <= ${last} && frame.time_epoch`
    assert.deepEqual(await select(`${copies} > ${pause} && frame.time_epoch < ${resume}`), [], 'no RTP in the pause')
    assert.ok((await select(`${copies} < ${pause}`)).length > 50, 'RTP before it')
    assert.ok((await select(`${copies} > ${resume}`)).length > 50, 'RTP after it')
  })
}
