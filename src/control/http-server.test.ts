import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { sipTrace } from '#kernel'
import { audio, call, httpFixture, recordingDetail, recordings, withApp } from '../../test/harness/http-fixture.ts'
import { buildHttpApp, createHttpServer } from './http-server.ts'

test('/healthz answers 200, /readyz 200 or 503 with its checks', () =>
  withApp(async (app, own) => {
    assert.deepEqual((await app.inject('/healthz')).json(), { status: 'ok' })
    const ready = await app.inject('/readyz')
    assert.equal(ready.statusCode, 200)
    assert.deepEqual(ready.json(), { ready: true, checks: { sip: true } })
    own.ready = false
    const unready = await app.inject('/readyz')
    assert.equal(unready.statusCode, 503)
    assert.deepEqual(unready.json(), { ready: false, checks: { sip: false } })
  }))

test('/api/calls lists the calls, /api/calls/:callId gives one', () =>
  withApp(async (app) => {
    assert.deepEqual((await app.inject('/api/calls')).json(), { total: 1, items: [call] })
    assert.deepEqual((await app.inject('/api/calls/call-1')).json(), call)
    const missing = await app.inject('/api/calls/other')
    assert.equal(missing.statusCode, 404)
    assert.deepEqual(missing.json(), { code: 'not-found', message: 'no such call' })
  }))

test('a recording command is passed on and its result returned', () =>
  withApp(async (app, own) => {
    const answer = await app.inject({
      method: 'POST',
      url: '/api/calls/call-1/recording',
      payload: { activity: 'start', callRecordingServer: 'sip:srs', callRecordingId: 'order-7' },
    })
    assert.equal(answer.statusCode, 200)
    assert.deepEqual(answer.json(), own.result)
    assert.deepEqual(own.commands, [['call-1', { activity: 'start', server: 'sip:srs', recordingId: 'order-7' }]])
  }))

test('a pause, resumption or stop may be of one recorder; nothing else may', () =>
  withApp(async (app, own) => {
    const post = async (payload: object): Promise<number> =>
      (await app.inject({ method: 'POST', url: '/api/calls/call-1/recording', payload })).statusCode
    const statuses: number[] = []
    for (const activity of ['pause', 'resume', 'stop', 'start', 'mask', 'unmask']) {
      statuses.push(await post({ activity, recorder: 'sip:srs' }))
    }
    assert.deepEqual(statuses, [200, 200, 200, 400, 400, 400])
    assert.deepEqual(
      own.commands.map(([, { activity, recorder }]) => [activity, recorder]),
      [
        ['pause', 'sip:srs'],
        ['resume', 'sip:srs'],
        ['stop', 'sip:srs'],
      ],
    )
  }))

for (const [status, httpStatus, code] of [
  [400, 400, 'recording-refused'],
  [487, 400, 'recording-refused'],
  [503, 503, 'recording-failed'],
  [500, 503, 'recording-failed'],
] as const) {
  test(`a recording result of ${status} is HTTP ${httpStatus} with its text and results`, () =>
    withApp(async (app, own) => {
      own.result = { status, text: 'because', results: { 'sip:srs': 'failed(486)' } }
      const url = '/api/calls/call-1/recording'
      const answer = await app.inject({ method: 'POST', url, payload: { activity: 'pause' } })
      assert.equal(answer.statusCode, httpStatus)
      assert.deepEqual(answer.json(), { code, message: 'because', details: own.result })
    }))
}

test('a command that does not fit its schema is refused with path and expectation', () =>
  withApp(async (app, own) => {
    const post = async (payload: object): Promise<unknown> => {
      const answer = await app.inject({ method: 'POST', url: '/api/calls/call-1/recording', payload })
      assert.equal(answer.statusCode, 400)
      return answer.json().details
    }
    assert.deepEqual(await post({ activity: 'begin' }), [
      {
        path: 'body/activity',
        expected: 'must be equal to one of the allowed values: start, stop, pause, resume, mask, unmask',
      },
    ])
    assert.deepEqual(await post({}), [{ path: 'body', expected: "must have required property 'activity'" }])
    assert.deepEqual(await post({ activity: 'stop', server: 'sip:x' }), [
      { path: 'body', expected: 'must NOT have additional properties: server' },
    ])
    assert.deepEqual(own.commands, [])
  }))

test('a body that is no JSON, or too large, or of another type is refused', () =>
  withApp(async (app) => {
    const url = '/api/calls/call-1/recording'
    const post = async (type: string, payload: string): Promise<[number, string]> => {
      const answer = await app.inject({ method: 'POST', url, headers: { 'content-type': type }, payload })
      return [answer.statusCode, answer.json().code]
    }
    assert.deepEqual(await post('application/json', '{'), [400, 'invalid-request'])
    assert.deepEqual(await post('application/json', `"${'x'.repeat(20_000)}"`), [413, 'invalid-request'])
    assert.deepEqual(await post('application/xml', '<a/>'), [415, 'invalid-request'])
    assert.deepEqual(await post('text/plain', '{"activity":"stop"}'), [400, 'invalid-request'])
  }))

test('a command for a call that does not exist is 404', () =>
  withApp(async (app) => {
    const answer = await app.inject({ method: 'POST', url: '/api/calls/x/recording', payload: { activity: 'stop' } })
    assert.equal(answer.statusCode, 404)
  }))

test('a fault of ours is 500 without its message, and logged with it', () =>
  withApp(async (app, own) => {
    own.result = new Error('secret detail')
    const url = '/api/calls/call-1/recording'
    const answer = await app.inject({ method: 'POST', url, payload: { activity: 'stop' } })
    assert.equal(answer.statusCode, 500)
    assert.deepEqual(answer.json(), { code: 'internal', message: 'internal error' })
    const fields = own.log.lines.find((line) => line.level === 'error')?.fields
    assert.deepEqual(fields, { fault: 'secret detail' })
  }))

test('/api/recordings pages, newest first as the view gives them', () =>
  withApp(async (app) => {
    assert.deepEqual((await app.inject('/api/recordings?offset=1&limit=1')).json(), {
      total: 3,
      isTotalExact: true,
      offset: 1,
      limit: 1,
      next: '1767603600000-2',
      items: [recordings[1]],
    })
    assert.equal((await app.inject('/api/recordings')).json().limit, 50)
    for (const query of ['limit=0', 'limit=201', 'offset=-1', 'offset=x', 'page=1']) {
      const answer = await app.inject(`/api/recordings?${query}`)
      assert.equal(answer.statusCode, 400, query)
      assert.match(answer.json().details[0].path, /^querystring/)
    }
  }))

test('/api/recordings/:recordingId gives one recording; ids that could be paths are refused', () =>
  withApp(async (app) => {
    assert.deepEqual((await app.inject('/api/recordings/rec-2')).json(), recordingDetail(recordings[1]!))
    assert.equal((await app.inject('/api/recordings/rec-9')).statusCode, 404)
    for (const id of ['..', '.hidden', '%2e%2e%2fetc', 'a%2fb', 'a%5cb', 'x'.repeat(200)]) {
      const { statusCode } = await app.inject(`/api/recordings/${id}/audio`)
      assert.ok(statusCode === 400 || statusCode === 404 || statusCode === 414, `${id}: ${statusCode}`)
    }
  }))

test('metadata is served as it was received', () =>
  withApp(async (app) => {
    const answer = await app.inject('/api/recordings/rec-1/metadata')
    assert.equal(answer.headers['content-type'], 'application/rs-metadata+xml')
    assert.equal(answer.body, '<recording/>')
    assert.equal((await app.inject('/api/recordings/rec-2/metadata')).statusCode, 404)
  }))

test('audio is served whole, in parts, and 416 behind its end', () =>
  withApp(async (app) => {
    const url = '/api/recordings/rec-1/audio'
    const whole = await app.inject(url)
    assert.equal(whole.statusCode, 200)
    assert.equal(whole.headers['content-type'], 'audio/wav')
    assert.equal(whole.headers['accept-ranges'], 'bytes')
    assert.equal(whole.headers['content-length'], '14')
    assert.equal(whole.body, audio.toString())

    const part = await app.inject({ url, headers: { range: 'bytes=4-7' } })
    assert.equal(part.statusCode, 206)
    assert.equal(part.headers['content-range'], 'bytes 4-7/14')
    assert.equal(part.body, '0123')

    const behind = await app.inject({ url, headers: { range: 'bytes=14-' } })
    assert.equal(behind.statusCode, 416)
    assert.equal(behind.headers['content-range'], 'bytes */14')
    assert.equal(behind.json().code, 'range-not-satisfiable')

    assert.equal((await app.inject('/api/recordings/rec-2/audio')).statusCode, 404)
  }))

test('If-Range with another version gives the whole audio', () =>
  withApp(async (app) => {
    const url = '/api/recordings/rec-1/audio'
    const same = await app.inject({ url, headers: { range: 'bytes=0-1', 'if-range': '"v1"' } })
    assert.equal(same.statusCode, 206)
    const other = await app.inject({ url, headers: { range: 'bytes=0-1', 'if-range': '"v0"' } })
    assert.equal(other.statusCode, 200)
  }))

test('HEAD gives size and type of the audio without its bytes', () =>
  withApp(async (app) => {
    const answer = await app.inject({ method: 'HEAD', url: '/api/recordings/rec-1/audio' })
    assert.equal(answer.statusCode, 200)
    assert.equal(answer.headers['content-length'], '14')
    assert.equal(answer.body, '')
  }))

test('on loopback a request under another name is refused, elsewhere it is not', async () => {
  const headers = { host: 'attacker.example:8080' }
  await withApp(async (app) => {
    const refused = await app.inject({ url: '/api/calls', headers })
    assert.equal(refused.statusCode, 403)
    assert.equal(refused.json().code, 'forbidden-host')
    for (const host of ['localhost:8080', '127.0.0.1', '[::1]:8080']) {
      assert.equal((await app.inject({ url: '/api/calls', headers: { host } })).statusCode, 200, host)
    }
  })
  const app = await buildHttpApp({ ...httpFixture().options, host: '192.0.2.1' })
  assert.equal((await app.inject({ url: '/api/calls', headers })).statusCode, 200)
  await app.close()
})

test('a role without calls or recordings has no such routes', async () => {
  const { options } = httpFixture()
  const { calls: _calls, recordings: _recordings, ...bare } = options
  const app = await buildHttpApp(bare)
  for (const url of ['/api/calls', '/api/recordings', '/nothing']) {
    const answer = await app.inject(url)
    assert.equal(answer.statusCode, 404)
    assert.deepEqual(answer.json(), { code: 'not-found', message: 'no such resource' })
  }
  await app.close()
})

test('/metrics exposes calls, recordings, sessions, packets, SIP messages and HTTP requests', () =>
  withApp(async (app) => {
    const base = { direction: 'in', transport: 'udp', local: '', remote: '', wallMs: 0 }
    for (const line of ['INVITE sip:a SIP/2.0', 'SIP/2.0 180 Ringing', 'FROBNICATE sip:a SIP/2.0', '\r\n']) {
      sipTrace.publish({ ...base, bytes: Buffer.from(line) })
    }
    await app.inject('/api/calls/call-1')
    await app.inject('/api/calls/other')
    const answer = await app.inject('/metrics')
    assert.match(answer.headers['content-type'] as string, /^text\/plain/)
    const lines = answer.body.split('\n')
    for (const line of [
      'siprec_gateway_active_calls 3',
      'siprec_gateway_recordings{state="paused"} 1',
      'siprec_gateway_recording_sessions{state="active"} 4',
      'siprec_gateway_recording_sessions_total{outcome="closed"} 7',
      'siprec_gateway_rtp_packets_total{fate="forked"} 1000',
      'siprec_gateway_rtp_packets_total{fate="held"} 50',
      'siprec_gateway_sip_messages_total{direction="in",kind="INVITE"} 1',
      'siprec_gateway_sip_messages_total{direction="in",kind="1xx"} 1',
      'siprec_gateway_sip_messages_total{direction="in",kind="other"} 2',
      'siprec_gateway_http_request_duration_seconds_count{method="GET",route="/api/calls/:callId",status="2xx"} 1',
      'siprec_gateway_http_request_duration_seconds_count{method="GET",route="/api/calls/:callId",status="4xx"} 1',
    ]) {
      assert.ok(lines.includes(line), line)
    }
    const again = await app.inject('/metrics')
    assert.ok(again.body.includes('siprec_gateway_recording_sessions_total{outcome="closed"} 7\n'))
  }))

test('the server listens on loopback and serves a byte range over a socket', async () => {
  const server = await createHttpServer(httpFixture().options)
  try {
    assert.equal(server.address.host, '127.0.0.1')
    const socket = connect(server.address.port, server.address.host)
    socket.end(
      'GET /api/recordings/rec-1/audio HTTP/1.1\r\nHost: localhost\r\nRange: bytes=-6\r\nConnection: close\r\n\r\n',
    )
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    assert.match(text, /^HTTP\/1\.1 206 Partial Content\r\n/)
    assert.match(text, /\r\ncontent-range: bytes 8-13\/14\r\n/i)
    assert.match(text, /\r\ncontent-length: 6\r\n/i)
    assert.ok(text.endsWith('\r\n\r\n456789'), text)
  } finally {
    await server.close()
  }
})

test('a port that is taken rejects and leaves nothing behind', async () => {
  const server = await createHttpServer(httpFixture().options)
  await assert.rejects(createHttpServer({ ...httpFixture().options, port: server.address.port }), {
    code: 'EADDRINUSE',
  })
  await server.close()
  assert.equal(sipTrace.hasSubscribers, false)
})

test('a further party is called into a call and let go again', () =>
  withApp(async (app) => {
    const join = async (callId: string, payload: object) => {
      const answer = await app.inject({ method: 'POST', url: `/api/calls/${callId}/parties`, payload })
      return [answer.statusCode, answer.json()] as const
    }
    assert.deepEqual(await join('call-1', { target: 'sip:carol@x' }), [201, { leg: 'callee-2' }])
    const [status, refused] = await join('call-1', { target: 'sip:dora@x' })
    assert.deepEqual([status, refused.code, refused.details], [502, 'join-failed', { result: 'busy', sipStatus: 486 }])
    assert.equal((await join('call-2', { target: 'sip:carol@x' }))[0], 404)
    assert.equal((await join('call-1', {}))[0], 400)
    const leave = async (leg: string): Promise<number> =>
      (await app.inject({ method: 'DELETE', url: `/api/calls/call-1/parties/${leg}` })).statusCode
    assert.deepEqual([await leave('callee-2'), await leave('callee-9')], [204, 404])
  }))
