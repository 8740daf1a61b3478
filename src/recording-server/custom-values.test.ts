import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { XmlElement } from '#siprec'
import { customValues } from './custom-values.ts'

function element(
  name: string,
  children: readonly (XmlElement | string)[],
  attributes: Readonly<Record<string, string>> = {},
): XmlElement {
  const entries = Object.entries(attributes).map(([attribute, value]) => ({ name: attribute, value }))
  return { namespace: 'urn:x', name, attributes: entries, children }
}

test('custom values are the texts of innermost elements, by name attribute or element name; the first of a name holds', () => {
  const elements = [
    element('call', [
      element('sipCallId', [' abc ']),
      element('fact', ['4711'], { name: 'order' }),
      element('fact', ['4712'], { name: 'order' }),
      element('empty', ['  ']),
    ]),
    element('callsid', ['42']),
  ]
  assert.deepEqual(customValues(elements), { sipCallId: 'abc', order: '4711', callsid: '42' })
})

test('custom values are bounded in number, depth and length, and a name from a stranger is only a name', () => {
  const many = Array.from({ length: 100 }, (_unused, n) => element(`n${n}`, ['x'.repeat(1000)]))
  const values = customValues([element('__proto__', ['polluted']), ...many])
  assert.equal(Object.keys(values).length, 32)
  assert.equal(values['n0']?.length, 256)
  assert.equal(Object.getPrototypeOf(values), Object.prototype)
  let deep = element('leaf', ['x'])
  for (let n = 0; n < 20; n++) deep = element('level', [deep])
  assert.deepEqual(customValues([deep]), {})
})
