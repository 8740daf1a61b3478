// Recording sessions that recorders ask for (RFC 7866 sections 6.2, 7.2 and 9.1): who may, what is answered, and what becomes of them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededIds } from '#kernel'
import { type CaptureBundle, CaptureCollector, type InvitationRule, RecorderInvitations } from '#recording-client'
import type { DialogEnd, HeaderList, IncomingRequest, InviteDialog, SipBody, SipResponse } from '#sip'
import { GATEWAY, type RecordingBench, withBench } from '../harness/recording-bench.ts'
import {
  documentProblems,
  mediaLines,
  type RecordingMessage,
  readRecordingMessage,
} from '../harness/recording-message.ts'
import type { TestRecorder } from '../harness/test-recorder.ts'

const open: InvitationRule = { isFrom: (host) => host === '10.0.0.11', unrecorded: 'start', recorded: 'join' }

function row(name: string, run: (b: RecordingBench) => Promise<void>, rules: readonly InvitationRule[] = [open]): void {
  test(name, () =>
    withBench(async (b) => {
      const invitations = new RecorderInvitations({
        rules,
        client: () => b.client,
        calls: () => [b.call],
        start: (call, uri, invitation) =>
          b.client.start(call, {
            servers: `<${uri}>`,
            recordingId: '',
            origin: 'recorder',
            noticePlayed: true,
            invitation,
          }),
        log: b.log,
      })
      b.onInvite = (invite) => invitations.handle(invite)
      await run(b)
    }),
  )
}

/** What came of a recorder's INVITE. */
interface Asked {
  response?: SipResponse
  dialog?: InviteDialog
  status?: number
  reason?: string
  end?: DialogEnd
  cancel?: () => void
  readonly requests: IncomingRequest[]
  /** The 200, read. */
  readonly offer: RecordingMessage
}

interface Asking {
  readonly user?: string
  readonly tag?: string
  readonly contact?: string
  readonly body?: SipBody
  /** What the ACK brings; undefined: nothing. */
  readonly answer?: (recorder: TestRecorder, offer: RecordingMessage) => SipBody | undefined
}

function ask(b: RecordingBench, recorder: TestRecorder, asking: Asking = {}): Asked {
  const { user = `record-${b.call.callId}`, tag = ';+sip.srs', body } = asking
  const answer = asking.answer ?? ((one, offer) => one.answerBody(offer.sdp))
  let response: SipResponse | undefined
  const asked: Asked = {
    requests: [],
    get offer() {
      assert.ok(response)
      return readRecordingMessage(response)
    },
  }
  const headers: HeaderList = [
    ['Require', 'siprec'],
    ['Contact', `<${asking.contact ?? `sip:srs@${recorder.ip}`}>${tag}`],
  ]
  let resolveAck: (body: SipBody | undefined) => void = () => {}
  const ackBody = new Promise<SipBody | undefined>((resolve) => {
    resolveAck = resolve
  })
  const invite = recorder.core.invite(
    { uri: `sip:${user}@${GATEWAY}`, from: `<sip:srs@${recorder.ip}>`, headers, ...(body && { body }) },
    {
      ackBody: () => ackBody,
      onAccepted: (dialog, accepted) => {
        response = accepted
        asked.response = accepted
        asked.dialog = dialog
        dialog.handlers = {
          onRequest: (incoming) => {
            asked.requests.push(incoming)
            const { sdp } = readRecordingMessage(incoming.request)
            incoming.respond(200, sdp === '' ? {} : { body: recorder.answerBody(sdp) })
          },
          onEnd: (end) => {
            asked.end = end
          },
        }
        resolveAck(answer(recorder, asked.offer))
      },
      onFailed: ({ status, reason }) => {
        asked.status = status
        asked.reason = reason
      },
    },
  )
  asked.cancel = () => invite.cancel()
  return asked
}

row(
  'SRC-43, FLOW-15: the 200 to a recorder has offer and document, the ACK the answer, and then audio flows',
  async (b) => {
    const recorder = b.recorder()
    const asked = ask(b, recorder)
    await b.pass()
    const { offer, response } = asked
    assert.deepEqual(mediaLines(offer), ['port sendonly 1', 'port sendonly 2'])
    assert.deepEqual([offer.document?.dataMode, documentProblems(offer)], ['complete', []])
    assert.match(response?.headers.get('contact') ?? '', /;\+sip\.src$/)
    assert.deepEqual([b.state, await b.audio(5)], ['recording', 10])
    assert.deepEqual(b.eventTypes.slice(0, 2), ['recorder.accepted', 'recording.started'])
    assert.equal(b.view?.ledger[0]?.outcome, 'accepted')

    b.pause()
    await b.pass()
    assert.deepEqual(mediaLines(readRecordingMessage(asked.requests[0]!.request)), [
      'port inactive 1',
      'port inactive 2',
    ])
    assert.equal(await b.audio(5), 0)
    b.resume()
    await b.pass()
    b.call.join()
    await b.pass(500)
    assert.deepEqual([b.state, await b.audio(5)], ['recording', 10])
    const stop = b.stop()
    await b.pass(500)
    assert.deepEqual([stop.status, asked.end?.cause], [200, 'remote-bye'])
    const last = readRecordingMessage(asked.requests.at(-1)!.request)
    assert.notEqual(last.document?.sessionRecordingAssocs[0]?.disassociateTime, undefined)
  },
)

row('SRC-43: nothing flows before the ACK has brought the answer', async (b) => {
  const recorder = b.recorder()
  ask(b, recorder)
  await b.pass(0)
  for (let waits = 0; waits < 20 && b.call.media.forks.size < 2; waits++) await b.pass(1)
  assert.deepEqual([b.state, await b.audio(5)], ['starting', 0])
  await b.pass()
  assert.equal(await b.audio(5), 10)
})

row('SRC-43: an ACK without an answer gets BYE, and nothing is recorded', async (b) => {
  const asked = ask(b, b.recorder(), { answer: () => undefined })
  await b.pass(500)
  assert.deepEqual([asked.end?.cause, b.state], ['remote-bye', 'none'])
  assert.equal(b.eventTypes.includes('recording.started'), false)
})

row('SRC-43: a recorder that takes none of the streams gets BYE', async (b) => {
  const recorder = b.recorder()
  recorder.answer = () => ({ port: 0, direction: 'inactive' })
  const asked = ask(b, recorder)
  await b.pass(500)
  assert.deepEqual([asked.end?.cause, b.state], ['remote-bye', 'none'])
})

row('SRC-43: a recorder joins what is recorded already, and leaves it as it was', async (b) => {
  const ordered = await b.recordingAt(b.recorder(12))
  const asked = ask(b, b.recorder(11))
  await b.pass()
  assert.equal(asked.offer.document?.sessions[0]?.sessionId, ordered.session().first.document?.sessions[0]?.sessionId)
  assert.deepEqual([b.state, await b.audio(5)], ['recording', 20])
  void asked.dialog?.bye()
  await b.pass(30_000)
  assert.deepEqual([b.state, await b.audio(5), ordered.sessions.length], ['recording', 10, 1])
  assert.equal(b.view?.policy, 'met')
  assert.equal(b.recorders[1]?.sessions.length, 0, 'it is not invited: it may ask again')
  const again = ask(b, b.recorders[1]!)
  await b.pass()
  assert.notEqual(again.dialog, undefined)
})

row(
  'SRC-43: a recorder that joins a paused recording is offered inactive, and hears nothing before it is resumed',
  async (b) => {
    await b.recordingAt(b.recorder(12))
    b.pause()
    await b.pass()
    const asked = ask(b, b.recorder(11))
    await b.pass()
    assert.deepEqual(mediaLines(asked.offer), ['port inactive 1', 'port inactive 2'])
    assert.equal(await b.audio(5), 0)
    b.resume()
    await b.pass()
    assert.equal(await b.audio(5), 20)
  },
)

/** A recording at 12 that is paused and then lost, while 11 waits for its turn. */
async function lostInPause(b: RecordingBench, limit?: { readonly maxSeconds: number; readonly next: 'resume' }) {
  const lost = await b.recordingAt(b.recorder(12))
  void b.client.mask(b.call, true, 'info')
  void b.client.pause(b.call, { origin: 'info', ...(limit && { limit }) })
  await b.pass()
  lost.onInvite = 503
  lost.bye()
  await b.pass(30_000)
  assert.deepEqual([b.state, b.eventTypes.includes('recording.lost')], ['none', true])
}

row(
  'SRC-43: a recorder that asks for a call whose paused recording was lost hears nothing before it is resumed, and no keys after',
  async (b) => {
    await lostInPause(b)
    const asked = ask(b, b.recorder(11))
    await b.pass()
    assert.deepEqual(mediaLines(asked.offer), ['port inactive 1', 'port inactive 2'])
    assert.deepEqual([b.state, await b.audio(5)], ['paused', 0])
    const resumed = b.resume()
    await b.pass()
    assert.deepEqual([resumed.status, b.state, await b.audio(5)], [200, 'recording', 10])
    assert.deepEqual(
      [...b.call.media.forks.values()].map(({ masked }) => masked),
      [true, true],
    )
  },
)

row('SRC-43: the deadline of a pause is that of the recording that a recorder asks for after its loss', async (b) => {
  await lostInPause(b, { maxSeconds: 60, next: 'resume' })
  ask(b, b.recorder(11))
  await b.pass(10_000)
  assert.deepEqual([b.state, await b.audio(5)], ['paused', 0])
  await b.pass(25_000)
  assert.deepEqual([b.state, await b.audio(5)], ['recording', 10])
})

row('SRC-43: a pause ends with its deadline though nothing was recorded by then', async (b) => {
  await lostInPause(b, { maxSeconds: 20, next: 'resume' })
  ask(b, b.recorder(11))
  await b.pass()
  assert.deepEqual([b.state, await b.audio(5)], ['recording', 10])
})

row(
  'SRC-43: a recorder that asked for a call and leaves in the middle has its capture, from its INVITE on',
  async (b) => {
    const bundles: CaptureBundle[] = []
    const collector = new CaptureCollector({
      clock: b.clock,
      ids: seededIds(5),
      product: 'siprec-gateway/test',
      core: GATEWAY,
      events: b.client.events,
      recordingsOf: (callId) => b.client.recordingsOf(callId),
      onCapture: (bundle) => bundles.push(bundle),
    })
    const asked = ask(b, b.recorder())
    await b.pass()
    void asked.dialog?.bye()
    await b.pass(40_000)
    const lines = bundles
      .find(({ failure }) => failure.type === 'recorder.lost')
      ?.entries.flatMap((entry) => (entry.type === 'sip' ? [`${entry.direction} ${entry.text.split('\r\n')[0]}`] : []))
    assert.match(lines?.[0] ?? '', /^received INVITE sip:/)
    for (const wanted of ['sent SIP/2.0 200', 'received ACK ', 'received BYE ']) {
      assert.ok(
        lines?.some((line) => line.startsWith(wanted)),
        wanted,
      )
    }
    collector.close()
  },
)

row('SRC-43: a stop ends a pause as well, for whoever asks for the call afterwards', async (b) => {
  await b.recordingAt(b.recorder(12))
  b.pause()
  await b.pass()
  b.stop()
  await b.pass(500)
  ask(b, b.recorder(11))
  await b.pass()
  assert.deepEqual([b.state, await b.audio(5)], ['recording', 10])
})

row(
  'SRC-43: a start by command says itself what it is to be, whatever was paused when a recording was lost',
  async (b) => {
    await lostInPause(b)
    b.start(b.recorder(13).uri)
    await b.pass()
    assert.deepEqual([b.state, await b.audio(5)], ['recording', 10])
  },
)

row('SRC-43: the Call-ID of a leg names a call as well', async (b) => {
  const [caller] = b.call.snapshot().parties
  const asked = ask(b, b.recorder(), { user: `record-${encodeURIComponent(caller?.sipCallId ?? '')}` })
  await b.pass()
  assert.notEqual(asked.dialog, undefined)
})

const sdp = { contentType: 'application/sdp', content: new TextEncoder().encode('v=0\r\n') }
for (const [what, asking, rules, host, status] of [
  ['is on no list', {}, [], 11, 403],
  ['comes from elsewhere', {}, [open], 12, 403],
  ['does not say that it is a recorder', { tag: '' }, [open], 11, 403],
  ['says that it is a client', { tag: ';+sip.src' }, [open], 11, 403],
  ['brings an offer', { body: sdp }, [open], 11, 488],
  ['names no call', { user: 'recorder' }, [open], 11, 404],
  ['names a call that there is not', { user: 'record-%00' }, [open], 11, 404],
  ['asks for what nobody records', {}, [{ ...open, unrecorded: 'refuse' }], 11, 403],
] as const) {
  row(
    `SRC-43, SRC-05: a recorder that ${what} is refused ${status}, and nothing is recorded`,
    async (b) => {
      const asked = ask(b, b.recorder(host), asking)
      await b.pass(1_000)
      assert.deepEqual([asked.status, b.state, b.call.media.forks.size], [status, 'none', 0])
    },
    rules,
  )
}

row(
  'SRC-43: a recorder is refused what others record, when the rule says so',
  async (b) => {
    await b.recordingAt(b.recorder(12))
    const asked = ask(b, b.recorder(11))
    await b.pass()
    assert.deepEqual([asked.status, asked.reason, b.state], [403, 'The Call Is Recorded', 'recording'])
  },
  [{ ...open, recorded: 'refuse' }],
)

row('SRC-43: a recorder that has the call already is refused', async (b) => {
  const recorder = b.recorder()
  ask(b, recorder)
  await b.pass()
  const again = ask(b, recorder)
  await b.pass()
  assert.deepEqual([again.status, b.state, b.call.media.forks.size], [403, 'recording', 2])
})

for (const contact of ['sips:srs@10.0.0.11', 'sip:srs@10.0.0.11;transport=tls']) {
  row(
    `SEC-06, SEC-12: a recorder that asks in the clear gets nothing of a call over TLS, though its Contact is ${contact}`,
    async (b) => {
      b.call.change({ protection: { signalling: 'tls', media: 'none' } }, { type: 'codec-changed' })
      const asked = ask(b, b.recorder(), { contact })
      await b.pass()
      assert.deepEqual([asked.status, b.state, b.call.media.forks.size], [488, 'none', 0])
    },
  )
}

row('SRC-43: a recorder with a Contact beyond the destinations is refused', async (b) => {
  const recorder = b.recorder()
  const asked = ask(b, recorder, { contact: 'sip:srs@192.0.2.66' })
  await b.pass()
  assert.deepEqual([asked.status, b.state], [403, 'none'])
})

for (const ms of [0, 1, 3, 6, 9, 12]) {
  row(`SRC-43: a recorder that takes its INVITE back after ${ms} ms leaves nothing`, async (b) => {
    const asked = ask(b, b.recorder())
    await b.pass(ms)
    asked.cancel?.()
    void asked.dialog?.bye()
    await b.pass(2_000)
    void asked.dialog?.bye()
    await b.pass(2_000)
    assert.deepEqual([b.state, b.call.media.forks.size], ['none', 0])
  })
}

row('SRC-43: a call that ends while the recorder has not acknowledged leaves no session', async (b) => {
  const recorder = b.recorder()
  const asked = ask(b, recorder)
  await b.pass(3)
  b.call.end()
  await b.pass(1_000)
  assert.equal(
    asked.dialog === undefined ? asked.status : asked.end?.cause,
    asked.dialog === undefined ? 487 : 'remote-bye',
  )
})
