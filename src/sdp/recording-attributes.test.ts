import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSdp } from './parser.ts'
import { recordAttribute, recordPreferenceOf, recordStateOf, strongestRecord } from './recording-attributes.ts'

function described(session: readonly string[], media: readonly string[]) {
  const lines = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0', ...session]
  const parsed = parseSdp(`${[...lines, 'm=audio 4000 RTP/AVP 0', ...media].join('\r\n')}\r\n`)
  assert.ok(parsed.ok)
  return [parsed.value.media[0]!, parsed.value] as const
}

for (const [session, media, state] of [
  [[], [], undefined],
  [[], ['a=record:on'], 'on'],
  [[], ['a=record:off'], 'off'],
  [[], ['a=record:paused'], 'paused'],
  [['a=record:on'], [], 'on'],
  [['a=record:on'], ['a=record:off'], 'off'],
  [['a=record:paused'], ['a=record:sometimes'], 'paused'],
  [[], ['a=RECORD:on'], undefined],
] as const) {
  test(`UA-04: session level [${session}] and media level [${media}] say ${state}`, () => {
    assert.equal(recordStateOf(...described(session, media)), state)
  })
}

for (const [session, media, preference] of [
  [[], [], undefined],
  [[], ['a=recordpref:on'], 'on'],
  [[], ['a=recordpref:off'], 'off'],
  [[], ['a=recordpref:pause'], 'pause'],
  [['a=recordpref:off'], [], 'off'],
  [['a=recordpref:off'], ['a=recordpref:nopreference'], 'nopreference'],
] as const) {
  test(`UA-09: session level [${session}] and media level [${media}] ask for ${preference}`, () => {
    assert.equal(recordPreferenceOf(...described(session, media)), preference)
  })
}

test('UA-11: the attribute is a=recordpref:off on the wire, and a doubled a= is none', () => {
  assert.equal(recordPreferenceOf(...described([], ['a=a=recordpref:off'])), undefined)
  assert.deepEqual(recordAttribute('on'), { name: 'record', value: 'on' })
})

test('UA-07: of several states the strongest counts: on, then paused, then off', () => {
  assert.equal(strongestRecord(['off', 'paused', 'on']), 'on')
  assert.equal(strongestRecord(['off', undefined, 'paused']), 'paused')
  assert.equal(strongestRecord([undefined, 'off']), 'off')
  assert.equal(strongestRecord([undefined]), undefined)
})
