// ffmpeg speaks SRTP into a leg of the media engine, and hears a secured fork of it: an implementation that shares nothing with ours.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { goertzelPower, readWav } from '#audio'
import { bindPortPair, closeSocket, createWorkerEngine, type SrtpKey } from '#engine'
import { silentLogger } from '#kernel'
import { cryptoIds, systemClock } from '#net'
import { requireTools, startTool } from '../harness/tools.ts'

requireTools('ffmpeg')

const HOST = '127.0.0.1'
const TONE_HZ = 440
const HEARD_SECONDS = 2
const PCMU = { encoding: 'PCMU/8000', receivePayloadType: 0, sendPayloadType: 0 }
/** What ffmpeg speaks of our suites. */
const SUITES = ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'] as const

const base64 = ({ material }: SrtpKey): string => Buffer.from(material).toString('base64')

/** An even port that was free a moment ago, for a program that binds it itself. */
async function freePort(): Promise<number> {
  for (;;) {
    const pair = await bindPortPair(HOST, 31_000 + 2 * cryptoIds.integer(500))
    if (pair === undefined) continue
    await Promise.all([closeSocket(pair.rtp), closeSocket(pair.rtcp)])
    return pair.port
  }
}

for (const suite of SUITES) {
  test(`field 38: ffmpeg is heard over ${suite}, and hears what a fork sends it`, async (t) => {
    const keyOf = (): SrtpKey => ({ suite, material: new Uint8Array(randomBytes(30)) })
    const [leg, fork] = [
      { send: keyOf(), receive: keyOf() },
      { send: keyOf(), receive: keyOf() },
    ]
    const folder = await mkdtemp(join(tmpdir(), 'srtp-'))
    const engine = await createWorkerEngine({
      host: HOST,
      portMin: 30_000,
      portMax: 30_999,
      workers: 1,
      log: silentLogger,
      clock: systemClock,
      ids: cryptoIds,
    })
    t.after(async () => {
      await engine.close()
      await rm(folder, { recursive: true, force: true })
    })
    const port = await freePort()
    const endpoint = (at: number) => ({ rtp: { host: HOST, port: at }, rtcp: { host: HOST, port: at + 1 } })
    const call = engine.openCall('ffmpeg')
    const local = await call.addLeg('a')
    // ffmpeg sends from a port of its own choice: its packets are the party's because they authenticate.
    const media = { remote: endpoint(port + 4), codecs: [PCMU], send: false, receive: true }
    await call.configureLeg('a', { ...media, srtp: leg })
    await call.addFork({ id: 'f', tap: { leg: 'a', point: 'received' }, open: true })
    await call.connectFork('f', { remote: endpoint(port), codecs: [PCMU], srtp: fork })
    const description = [
      'v=0',
      `o=- 1 1 IN IP4 ${HOST}`,
      's=-',
      `c=IN IP4 ${HOST}`,
      't=0 0',
      `m=audio ${port} RTP/SAVP 0`,
      `a=crypto:1 ${suite} inline:${base64(fork.send)}`,
    ]
    await writeFile(join(folder, 'fork.sdp'), `${description.join('\r\n')}\r\n`)
    const listening = ['-protocol_whitelist', 'file,rtp,udp,srtp,crypto', '-i', 'fork.sdp', '-t', `${HEARD_SECONDS}`]
    const listener = startTool('ffmpeg', ['-nostdin', ...listening, '-c:a', 'pcm_s16le', 'heard.wav'], folder)
    const source = ['-re', '-f', 'lavfi', '-i', `sine=frequency=${TONE_HZ}:sample_rate=8000`, '-c:a', 'pcm_mulaw']
    const keys = ['-srtp_out_suite', suite, '-srtp_out_params', base64(leg.receive)]
    const talking = [...source, '-f', 'rtp', ...keys, `srtp://${HOST}:${local.rtpPort}?rtcpport=${local.rtcpPort}`]
    const talker = startTool('ffmpeg', ['-nostdin', ...talking], folder)
    const { code, stderr } = await listener.ended
    talker.stop()
    await talker.ended
    assert.equal(code, 0, stderr.slice(-1000))
    const { legs } = await call.counters()
    assert.equal(legs['a']?.received.refused, 0)
    const heard = readWav(new Uint8Array(await readFile(join(folder, 'heard.wav'))))
    assert.ok(heard.ok)
    const [samples] = heard.value.samples
    assert.ok(samples !== undefined && samples.length >= (HEARD_SECONDS - 1) * 8000)
    assert.ok(goertzelPower(samples.subarray(-4000), 8000, TONE_HZ) > 0.9)
  })
}
