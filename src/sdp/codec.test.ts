import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codecAttributes, codecsOf } from './codec.ts'
import type { SdpAttribute, SdpMedia } from './session-description.ts'

function media(formats: string[], attributes: SdpAttribute[] = [], protocol = 'RTP/AVP'): SdpMedia {
  return { kind: 'audio', port: 4000, protocol, formats, bandwidth: [], attributes, other: [] }
}

test('RTP-23: the static types 0, 8, 9, 13 and 18 need no rtpmap', () => {
  assert.deepEqual(
    codecsOf(media(['0', '8', '9', '13', '18'])).map((codec) => [codec.payloadType, codec.encoding]),
    [
      [0, 'PCMU/8000'],
      [8, 'PCMA/8000'],
      [9, 'G722/8000'],
      [13, 'CN/8000'],
      [18, 'G729/8000'],
    ],
  )
})

test('an rtpmap beats the static table, case is folded, one channel is not written', () => {
  const attributes = [
    { name: 'rtpmap', value: '0 pcma/8000/1' },
    { name: 'rtpmap', value: '96 opus/48000/2' },
    { name: 'fmtp', value: '96 useinbandfec=1' },
  ]
  assert.deepEqual(codecsOf(media(['0', '96'], attributes)), [
    { payloadType: 0, encoding: 'PCMA/8000' },
    { payloadType: 96, encoding: 'OPUS/48000/2', fmtp: 'useinbandfec=1' },
  ])
})

test('Opus has two channels in its name, written or not (RFC 7587 section 7)', () => {
  for (const value of ['96 opus/48000', '96 OPUS/48000/2', '96 opus/48000/1']) {
    assert.deepEqual(codecsOf(media(['96'], [{ name: 'rtpmap', value }])), [
      { payloadType: 96, encoding: 'OPUS/48000/2' },
    ])
  }
})

test('formats that name no codec are passed over', () => {
  const attributes = [{ name: 'rtpmap', value: '97' }, { name: 'rtpmap', value: '98 x' }, { name: 'rtpmap' }]
  assert.deepEqual(codecsOf(media(['97', '98', '99', '128', 'x', '0', '0'], attributes)).length, 1)
  assert.deepEqual(codecsOf(media(['0'], [], 'udptl')), [])
})

test('rtpmap is always written, for static types too, and reads back', () => {
  const codecs = [
    { payloadType: 0, encoding: 'PCMU/8000' },
    { payloadType: 101, encoding: 'TELEPHONE-EVENT/8000', fmtp: '0-15' },
  ]
  const attributes = codecAttributes(codecs)
  assert.deepEqual(attributes, [
    { name: 'rtpmap', value: '0 PCMU/8000' },
    { name: 'rtpmap', value: '101 telephone-event/8000' },
    { name: 'fmtp', value: '101 0-15' },
  ])
  assert.deepEqual(codecsOf(media(['0', '101'], attributes)), codecs)
})
