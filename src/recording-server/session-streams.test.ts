import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededIds } from '#kernel'
import { parseSdp } from '#sdp'
import type { RecordMedia } from './record-media.ts'
import { SessionStreams } from './session-streams.ts'

test('an offer of which no line can be taken is refused with each reason once', () => {
  const line = (protocol: string) => `m=audio 20000 ${protocol} 0\r\n`
  const head = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n'
  const parsed = parseSdp(head + line('RTP/SAVP') + line('RTP/SAVP') + line('TCP/MSRP'))
  assert.ok(parsed.ok)
  const media = {} as RecordMedia
  const options = { recordingId: 'r-1', media, ids: seededIds(1), address: '192.0.2.2', suites: [], keepsKeys: false }
  const streams = new SessionStreams(options)
  assert.equal(streams.problemOf(parsed.value), 'SRTP keys may not be exchanged here, transport TCP/MSRP')
})
