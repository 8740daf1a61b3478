// The recorder program asks a client to be recorded, over TCP sockets.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryLogger } from '#kernel'
import { cryptoIds, systemClock } from '#net'
import { parseSdp } from '#sdp'
import type { InviteDialog, SipRequest } from '#sip'
import type { SipConfig } from '../../src/app/config-schema.ts'
import { openSipRole } from '../../src/app/sip-role.ts'
import { keptRecording } from '../harness/kept-recording.ts'
import { openTestProgram } from '../harness/open-program.ts'
import { metadata, offer, withMetadata } from '../harness/recording-offer.ts'
import { until } from '../harness/until.ts'

const HOST = '127.0.0.1'
const LISTEN = `{"listen":[{"transport":"tcp","host":"${HOST}","port":0}]}`

test('SRS-15: the recorder invites a client without an offer, answers in the ACK, and keeps what the client then ends', async (t) => {
  const opened = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => opened.close())
  const acks: SipRequest[] = []
  let dialog: InviteDialog | undefined
  const client = await openSipRole(
    {
      name: 'client',
      sip: JSON.parse(LISTEN) as SipConfig,
      contactUser: 'src',
      contactParams: '+sip.src',
      supported: ['siprec'],
      allow: ['INVITE', 'ACK', 'BYE', 'UPDATE'],
      accept: ['application/sdp'],
      admit: () => true,
      handlers: {
        onInvite: (invite) => {
          assert.deepEqual(invite.request.headers.list('Require'), ['siprec'])
          assert.equal(invite.request.body.length, 0)
          const body = withMetadata(offer(), metadata('Bob'))
          dialog = invite.accept({ onAck: (ack) => void acks.push(ack), onEnd: () => {} }, { body })
        },
      },
    },
    { clock: systemClock, ids: cryptoIds, log: new MemoryLogger(), dnsServers: [] },
  )
  t.after(() => client.close())
  const { recorder } = opened.program
  assert.ok(recorder)
  const result = await recorder.server.invite(`sip:src@${HOST}:${client.listeners[0]?.port};transport=tcp`)
  assert.ok(result.ok)
  await until('the ACK has come', () => acks.length > 0)
  const answer = parseSdp(acks[0]!.body)
  assert.ok(answer.ok)
  assert.equal(answer.value.media.filter(({ port }) => port > 0).length, 2)
  assert.equal((await dialog?.bye())?.status, 200)
  const { manifest } = await keptRecording(opened.store)
  assert.equal(manifest.recordingId, result.value)
  assert.equal(manifest.facts.participants[0]?.name, 'Bob')
  assert.deepEqual([manifest.facts.sip.source, manifest.facts.sip.transport], [HOST, 'tcp'])
})
