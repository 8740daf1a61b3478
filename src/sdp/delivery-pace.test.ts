import assert from 'node:assert/strict'
import test from 'node:test'
import { deliveryPaceAttribute, deliveryPaceOf } from './delivery-pace.ts'

test('the pace of a delivery reads back, and is none where it makes no sense', () => {
  const media = (value: string) => ({
    kind: 'audio',
    port: 4,
    protocol: 'RTP/AVP',
    formats: ['0'],
    attributes: [{ name: 'x-delivery-pace', value }],
  })
  assert.equal(deliveryPaceOf({ ...media(''), attributes: [deliveryPaceAttribute(8)] } as never), 8)
  for (const value of ['', '0', '1', '-8', '8.5', '100', 'x', ' 8'])
    assert.equal(deliveryPaceOf(media(value) as never), undefined)
})
