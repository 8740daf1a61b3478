// Clients of SIPp in the manner of vendors record at a whole recorder over real sockets; what each stream carried is looked for.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodePcma, encodePcmu, tone } from '#audio'
import { delay } from '../foreign/deadline.ts'
import { shareOfTone } from '../foreign/g711-tones.ts'
import { keptRecording } from '../harness/kept-recording.ts'
import { openTestProgram } from '../harness/open-program.ts'
import { RtpSource } from '../harness/rtp-source.ts'
import { type Sipp, startSipp } from '../harness/sipp.ts'
import { requireTools } from '../harness/tools.ts'
import { until } from '../harness/until.ts'

requireTools('sipp')

const HOST = '127.0.0.1'
const TONES_HZ = [400, 1000, 1400]

interface Answer {
  readonly ports: readonly number[]
  readonly payloadType: number
  readonly directions: readonly string[]
}

/** The last answer in SIPp's log of messages. */
async function lastAnswer(sipp: Sipp): Promise<Answer | undefined> {
  const log = (await sipp.messages().catch(() => '')).replaceAll('\r', '')
  const answers = log
    .split('SIP/2.0 200')
    .slice(1)
    .filter((text) => text.includes('m=audio'))
  const text = answers.at(-1)
  if (text === undefined) return undefined
  // Requests that the client sent after the answer follow it in the log.
  const sdp = text.slice(text.indexOf('v=0')).split('\n\n')[0] ?? ''
  const lines = [...sdp.matchAll(/^m=audio (\d+) \S+ (\d+)/gm)]
  const directions = [...sdp.matchAll(/^a=(recvonly|inactive)$/gm)].map(([, direction]) => direction!)
  return { ports: lines.map(([, port]) => Number(port)), payloadType: Number(lines[0]?.[2]), directions }
}

for (const [scenario, transport, vendor, labels, speakers] of [
  ['vendor-cube', 'tcp', 'Cisco CUBE', ['1', '2'], [['sip:5101@192.0.2.40'], ['Desk 5102']]],
  [
    'vendor-broadworks',
    'udp',
    'Cisco BroadWorks',
    ['5'],
    [['sip:02070000001', 'sip:07700900123@voice.example;user=phone']],
  ],
  ['vendor-oracle', 'tcp', 'Oracle SBC', ['16777301', '16777302'], [['8100'], ['8200']]],
  ['vendor-avaya', 'udp', 'Avaya SBCE', ['10', '20', '30'], [['sip:edge@edge.example'], ['Ext 6100'], []]],
] as const) {
  test(`SIPp in the manner of ${vendor} over ${transport}: each stream is kept with its speaker, as ${scenario}`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'sipp-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const opened = await openTestProgram({ gateway: false, recorder: true })
    t.after(() => opened.close())
    const remote = { user: 'recorder', port: opened.port('recorder', transport) }
    const sipp = await startSipp({ scenario, transport, folder, remote, args: ['-d', '4000'] })
    t.after(() => sipp.stop())
    await until(
      'the recorder is ready to receive',
      async () => (await lastAnswer(sipp))?.directions.every((direction) => direction === 'recvonly') === true,
    )
    const { ports, payloadType } = (await lastAnswer(sipp))!
    assert.equal(ports.length, labels.length)
    const encode = payloadType === 8 ? encodePcma : encodePcmu
    await Promise.all(
      ports.map(async (port, line) => {
        const source = await RtpSource.open({ host: HOST, port }, 500 + line)
        t.after(() => source.close())
        source.payloadType = payloadType
        const payload = encode(tone(TONES_HZ[line]!, 600))
        for (let at = 0; at < payload.length; at += 160) {
          await source.sendPacket(payload.subarray(at, at + 160))
          await delay(20)
        }
      }),
    )
    await sipp.succeeded()
    const { manifest, channels } = await keptRecording(opened.store)
    assert.deepEqual(
      manifest.streams.map((stream) => stream.label),
      labels,
    )
    for (const [channel, { totals }] of manifest.streams.entries()) {
      const from = Math.ceil(totals.firstPacketMs ?? 0) * 8
      const heard = channels[channel]!.subarray(from + 400, from + 3000)
      for (const [index, hz] of TONES_HZ.entries()) {
        assert.equal(shareOfTone(heard, hz) > 0.9, index === channel, `${hz} Hz in channel ${channel}`)
      }
    }
    assert.deepEqual(manifest.facts.speakers, speakers)
    assert.equal(manifest.facts.verdict?.vendor, vendor)
  })
}
