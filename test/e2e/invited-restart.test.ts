// Sessions that the recorder asked for itself go on, too, when it is killed and started again.

import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { encodePcmu } from '#audio'
import { silentLogger } from '#kernel'
import { cryptoIds, systemClock } from '#net'
import { parseSdp } from '#sdp'
import type { DialogEnd, InviteDialog, SipRequest } from '#sip'
import type { SipConfig } from '../../src/app/config-schema.ts'
import { openSipRole } from '../../src/app/sip-role.ts'
import { shareOfTone, tone } from '../foreign/g711-tones.ts'
import { keptRecording } from '../harness/kept-recording.ts'
import { MortalRecorder } from '../harness/mortal-recorder.ts'
import { metadata, offer, withMetadata } from '../harness/recording-offer.ts'
import { RtpSource } from '../harness/rtp-source.ts'
import { tlsFixture } from '../harness/tls.ts'
import { until } from '../harness/until.ts'

const HOST = '127.0.0.1'
const TONES_HZ = [400, 1000] as const
const PACKET_MS = 20

interface InvitedClient {
  readonly uri: string
  dialog?: InviteDialog
  ack?: SipRequest
  end?: DialogEnd
}

/** A recording client that takes whoever asks. */
async function openClient(t: TestContext, transport: 'udp' | 'tcp' | 'tls'): Promise<InvitedClient> {
  const files = {
    certFile: tlsFixture('gw.cert.pem'),
    keyFile: tlsFixture('gw.key.pem'),
    caFile: tlsFixture('ca.cert.pem'),
  }
  const tls = transport === 'tls' ? { tls: { ...files, verifyClient: false, allowWildcard: false } } : {}
  const role = await openSipRole(
    {
      name: 'client',
      sip: { listen: [{ transport, host: HOST, port: 0 }], ...tls } as unknown as SipConfig,
      contactUser: 'src',
      contactParams: '+sip.src',
      supported: ['siprec'],
      allow: ['INVITE', 'ACK', 'BYE', 'UPDATE', 'OPTIONS'],
      accept: ['application/sdp'],
      admit: () => true,
      handlers: {
        onInvite: (invite) => {
          const onEnd = (end: DialogEnd): void => {
            client.end = end
          }
          const onAck = (ack: SipRequest): void => {
            client.ack = ack
          }
          client.dialog = invite.accept({ onAck, onEnd }, { body: withMetadata(offer(), metadata('Bob')) })
        },
      },
    },
    { clock: systemClock, ids: cryptoIds, log: silentLogger, dnsServers: [] },
  )
  t.after(() => role.close())
  const client: InvitedClient = { uri: `sip:src@${HOST}:${role.listeners[0]?.port};transport=${transport}` }
  return client
}

/** Says a tone on each line of the answer until told to end; how much was said by now. */
async function speak(t: TestContext, ack: SipRequest): Promise<{ saidMs(): number; end(): Promise<void> }> {
  const answer = parseSdp(ack.body)
  assert.ok(answer.ok)
  let isOver = false
  let packets = 0
  const sources = await Promise.all(answer.value.media.map(({ port }) => RtpSource.open({ host: HOST, port })))
  t.after(() => {
    for (const source of sources) source.close()
  })
  const words = TONES_HZ.map((hz) => encodePcmu(tone(hz, PACKET_MS)))
  const speaking = (async () => {
    const beganMs = systemClock.nowMs()
    while (!isOver) {
      for (const [index, source] of sources.entries()) await source.sendPacket(words[index]!)
      packets += 1
      const dueMs = beganMs + packets * PACKET_MS - systemClock.nowMs()
      await new Promise<void>((resolve) => void systemClock.after(Math.max(0, dueMs), 'test', resolve))
    }
  })()
  return {
    saidMs: () => packets * PACKET_MS,
    end: async () => {
      isOver = true
      await speaking
    },
  }
}

for (const transport of ['udp', 'tcp', 'tls'] as const) {
  test(`SRS-15: a session that the recorder asked for over ${transport} goes on after kill -9: one folder, one gap, BYE answered`, async (t) => {
    const recorder = await MortalRecorder.start(t, {}, { invite: [HOST], isTls: transport === 'tls' })
    const client = await openClient(t, transport)
    const asked = await fetch(`${recorder.httpUrl}/api/recorder/invitations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ target: client.uri }),
    })
    assert.equal(asked.status, 201, await asked.text())
    await until('the ACK has come', () => client.ack !== undefined)
    const talk = await speak(t, client.ack!)
    await until('a second was said', () => talk.saidMs() > 1500)
    await recorder.kill()
    await recorder.start()
    const backMs = talk.saidMs()
    await until('more was said', () => talk.saidMs() > backMs + 1500, 20_000)
    await talk.end()
    assert.equal(client.end, undefined)
    assert.equal((await client.dialog?.request('OPTIONS'))?.status, 200, 'the dialog is known')
    assert.equal((await client.dialog?.bye())?.status, 200)
    const { manifest, channels, folder } = await keptRecording(recorder.store)
    assert.deepEqual([manifest.state, manifest.recovered, manifest.notResumed], ['published', true, undefined])
    assert.deepEqual([manifest.facts.sip.ended, manifest.facts.participants[0]?.name], ['remote-bye', 'Bob'])
    assert.equal((await readdir(folder)).includes('session.json'), false)
    for (const [channel, hz] of TONES_HZ.entries()) {
      const holes = manifest.streams[channel]!.gaps.filter(({ cause }) => cause === 'recorder-restart')
      assert.equal(holes.length, 1)
      const { fromMs, toMs } = holes[0]!
      const share = (from: number, to: number): number => shareOfTone(channels[channel]!.subarray(from * 8, to * 8), hz)
      assert.ok(share(fromMs - 500, fromMs - 20) > 0.95, 'the tone before')
      assert.ok(share(toMs + 20, toMs + 800) > 0.95, 'the tone after')
    }
  })
}
