import assert from 'node:assert/strict'
import { test } from 'node:test'
import { filledHeaders } from './profile-headers.ts'

const FACTS = { recordingId: 'rec-$&-1', callId: 'c1', sessionId: '0a0b' }

test('headers are filled in with what is known of the recording', () => {
  assert.deepEqual(
    filledHeaders(
      [
        ['User-to-User', '{recordingId};encoding=ascii'],
        ['X-Both', '{callId}/{sessionId}/{callId}'],
        ['X-Fixed', 'a {b} {} {recordingid}'],
      ],
      FACTS,
    ),
    [
      ['User-to-User', 'rec-$&-1;encoding=ascii'],
      ['X-Both', 'c1/0a0b/c1'],
      ['X-Fixed', 'a {b} {} {recordingid}'],
    ],
  )
})

test('a header that needs what is not known is left out', () => {
  const headers = [['x-audc-call-id', '{recordingId}'] as const, ['X-Call', '{callId}'] as const]
  assert.deepEqual(filledHeaders(headers, { ...FACTS, recordingId: '' }), [['X-Call', 'c1']])
})
