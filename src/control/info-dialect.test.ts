import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { request, SipHeaders } from '#sip'
import { parseRecordingInfo } from './info-dialect.ts'

const uri = 'sip:call@gw.example'

function info(headers: readonly (readonly [string, string])[], body = ''): ReturnType<typeof parseRecordingInfo> {
  return parseRecordingInfo(request('INFO', uri, SipHeaders.of(headers), Buffer.from(body)))
}

test('start carries the server list, the recording id and the extra headers', () => {
  const result = info(
    [
      ['X-Reason', 'startCallRecording'],
      ['X-Srs-Url', 'sip:a.example,sip:b.example'],
      ['X-Srs-Recording-ID', 'order-7'],
      ['X-Call-Sid', 'call-1'],
      ['X-Account-Sid', 'account-1'],
      ['X-Application-Sid', 'undefined'],
      ['Content-Type', 'application/json; charset=utf-8'],
    ],
    '{"X-Tenant":"acme","X-Number":7,"X-Object":{"a":1}}\n',
  )
  assert.deepEqual(result, {
    ok: true,
    value: {
      activity: 'start',
      server: 'sip:a.example,sip:b.example',
      recordingId: 'order-7',
      headers: [
        ['X-Tenant', 'acme'],
        ['X-Number', '7'],
      ],
      application: { callSid: 'call-1', accountSid: 'account-1' },
    },
  })
})

for (const [reason, activity] of [
  ['stopCallRecording', 'stop'],
  ['pauseCallRecording', 'pause'],
  ['resumeCallRecording', 'resume'],
  ['maskCallRecording', 'mask'],
  ['unmaskCallRecording', 'unmask'],
]) {
  test(`${reason} needs nothing but its X-Reason`, () => {
    assert.deepEqual(info([['X-Reason', reason ?? '']]), {
      ok: true,
      value: { activity, server: '', recordingId: '', headers: [] },
    })
  })
}

test('several X-Srs-Url lines are one list', () => {
  const result = info([
    ['X-Reason', 'startCallRecording'],
    ['X-Srs-Url', 'sip:a'],
    ['X-Srs-Url', 'sip:b'],
  ])
  assert.equal(result?.ok && result.value.server, 'sip:a,sip:b')
})

for (const [what, value] of [
  ['missing', undefined],
  ['empty', ''],
  ['blank', '  '],
  ['the literal undefined', 'undefined'],
] as const) {
  test(`start with X-Srs-Url ${what} is refused 400 with the page's text`, () => {
    const headers: [string, string][] = [['X-Reason', 'startCallRecording']]
    if (value !== undefined) headers.push(['X-Srs-Url', value])
    assert.deepEqual(info(headers), {
      ok: false,
      error: { status: 400, text: 'startCallRecording request is missing X-Srs-Url header' },
    })
  })
}

test('the literal undefined as recording id means none', () => {
  const result = info([
    ['X-Reason', 'startCallRecording'],
    ['X-Srs-Url', 'sip:a'],
    ['X-Srs-Recording-ID', 'undefined'],
  ])
  assert.equal(result?.ok && result.value.recordingId, '')
})

test('an address that is not a SIP URI is left to the recording client, which fails it', () => {
  const result = info([
    ['X-Reason', 'startCallRecording'],
    ['X-Srs-Url', 'wss://a.example'],
  ])
  assert.equal(result?.ok && result.value.server, 'wss://a.example')
})

test('other requests and other reasons are not ours', () => {
  assert.equal(info([]), undefined)
  assert.equal(info([['X-Reason', 'muteCall']]), undefined)
  assert.equal(info([['Content-Type', 'application/dtmf-relay']], 'Signal=1'), undefined)
  const headers = SipHeaders.of([['X-Reason', 'startCallRecording']])
  assert.equal(parseRecordingInfo(request('UPDATE', uri, headers)), undefined)
})

test('a JSON body that is no object of headers is refused 400', () => {
  for (const body of ['{', '[]', '"x"', 'null', '\xff', `{"X-A":"${'a'.repeat(9_000)}"}`]) {
    const result = info(
      [
        ['X-Reason', 'pauseCallRecording'],
        ['Content-Type', 'application/json'],
      ],
      body,
    )
    assert.equal(result?.ok === false && result.error.status, 400, body.slice(0, 10))
  }
})

test('extra headers can neither replace protocol headers nor smuggle lines', () => {
  const result = info(
    [
      ['X-Reason', 'pauseCallRecording'],
      ['Content-Type', 'application/json'],
    ],
    JSON.stringify({
      Via: 'x',
      'Content-Length': '0',
      f: 'x',
      'X Y': '1',
      'X-Crlf': 'a\r\nVia: b',
      __proto__: 'x',
      'X-Ok': 'yes',
    }),
  )
  assert.deepEqual(result?.ok && result.value.headers, [['X-Ok', 'yes']])
})

test('the number of extra headers is limited to 20', () => {
  const body = JSON.stringify(Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`X-H${i}`, 'v'])))
  const result = info(
    [
      ['X-Reason', 'pauseCallRecording'],
      ['Content-Type', 'application/json'],
    ],
    body,
  )
  assert.equal(result?.ok && result.value.headers.length, 20)
})

test('property: no INFO makes the dialect throw, and no header value holds a line break', () => {
  const reasons = fc.constantFrom('startCallRecording', 'stopCallRecording', 'x')
  fc.assert(
    fc.property(reasons, fc.string(), fc.oneof(fc.string(), fc.json()), (reason, url, body) => {
      const result = info(
        [
          ['X-Reason', reason],
          ['X-Srs-Url', url],
          ['Content-Type', 'application/json'],
        ],
        body,
      )
      if (result?.ok) for (const [, value] of result.value.headers) assert.doesNotMatch(value, /[\r\n]/)
    }),
  )
})

test('a start may bring its policy and the mask of its digits', () => {
  const result = info([
    ['X-Reason', 'startCallRecording'],
    ['X-Srs-Url', 'sip:a'],
    ['X-Recording-Policy', 'all else end'],
    ['X-Mask-Dtmf', 'true'],
  ])
  assert.ok(result?.ok)
  assert.deepEqual([result.value.policy, result.value.maskDtmf], ['all else end', true])
})

test('a pause may name the one recorder that it is of', () => {
  const result = info([
    ['X-Reason', 'pauseCallRecording'],
    ['X-Recorder', 'sip:a'],
  ])
  assert.equal(result?.ok && result.value.recorder, 'sip:a')
})

for (const [then, next] of [
  [[], 'resume'],
  [[['X-Pause-Then', 'Stop']], 'stop'],
] as const) {
  test(`a pause may bring its deadline, after which it is to ${next}`, () => {
    const result = info([['X-Reason', 'pauseCallRecording'], ['X-Pause-Seconds', '90'], ...then])
    assert.deepEqual(result?.ok && result.value.limit, { maxSeconds: 90, next })
  })
}

for (const more of [
  [['X-Pause-Seconds', '0']],
  [['X-Pause-Seconds', 'soon']],
  [
    ['X-Pause-Seconds', '5'],
    ['X-Pause-Then', 'hangup'],
  ],
] as const) {
  test(`a pause with ${more.map((header) => header.join(' ')).join(', ')} is refused 400`, () => {
    const result = info([['X-Reason', 'pauseCallRecording'], ...more])
    assert.equal(result?.ok === false && result.error.status, 400)
  })
}
