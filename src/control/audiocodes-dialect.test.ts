import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { request, SipHeaders } from '#sip'
import { parseAudiocodesInfo } from './audiocodes-dialect.ts'

const groups = new Map([
  ['Recorders', 'sip:a.example|sip:b.example'],
  ['Second', 'sip:c.example'],
])

function info(action: string, method = 'INFO'): ReturnType<typeof parseAudiocodesInfo> {
  const headers = SipHeaders.of([['X-AC-Action', action]])
  return parseAudiocodesInfo(request(method, 'sip:call@gw.example', headers), groups)
}

for (const [action, server] of [
  ['start-siprec;recording-ip-group=Second;recorded-side=peer', 'sip:c.example'],
  ['Start-SIPREC ; recording-ip-group="Recorders, Second"', 'sip:a.example|sip:b.example,sip:c.example'],
  ['start-siprec;recording-ip-group-set=Recorders', 'sip:a.example|sip:b.example'],
] as const) {
  test(`${action} starts at the recorders of the group`, () => {
    assert.deepEqual(info(action), { ok: true, value: { activity: 'start', server, recordingId: '', headers: [] } })
  })
}

for (const activity of ['stop', 'pause', 'resume'] as const) {
  test(`${activity}-siprec needs no group`, () => {
    const value = { activity, server: '', recordingId: '', headers: [] }
    assert.deepEqual(info(`${activity}-siprec;recorded-side=peer`), { ok: true, value })
  })
}

for (const [action, text] of [
  ['start-siprec', 'start-siprec request is missing recording-ip-group'],
  ['start-siprec;recording-ip-group=', 'start-siprec request is missing recording-ip-group'],
  ['start-siprec;recording-ip-group=Second,Nobody', 'recording-ip-group is not one of gateway.info.recorderGroups'],
  ['start-siprec;recording-ip-group=sip:evil.example', 'recording-ip-group is not one of gateway.info.recorderGroups'],
] as const) {
  test(`${action} is refused 400`, () => {
    assert.deepEqual(info(action), { ok: false, error: { status: 400, text } })
  })
}

test('other actions and other requests are not ours', () => {
  assert.equal(info('disconnect'), undefined)
  assert.equal(info(''), undefined)
  assert.equal(info('stop-siprec', 'UPDATE'), undefined)
})

test('property: no action makes the dialect throw, and no recorder comes from the message', () => {
  const known = new Set(['sip:a.example|sip:b.example', 'sip:c.example'])
  fc.assert(
    fc.property(fc.string(), (parameters) => {
      const result = info(`start-siprec;recording-ip-group=${parameters}`)
      if (result?.ok) for (const list of result.value.server.split(',')) assert.ok(known.has(list))
    }),
  )
})
