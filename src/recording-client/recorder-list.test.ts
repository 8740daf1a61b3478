import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseRecorderList } from './recorder-list.ts'

/** `uri` for a usable entry, `!uri` for one that is not. */
function read(text: string): string[] {
  return parseRecorderList(text).map((entry) => `${entry.valid ? '' : '!'}${entry.uri}`)
}

// The two tables of the product page, row by row.
const rows = [
  ['single SRS by hostname', 'sip:siprec.example.com', ['sip:siprec.example.com']],
  ['single SRS by hostname with port', 'sip:siprec.example.com:5060', ['sip:siprec.example.com:5060']],
  ['single SRS by IP address', 'sip:3.208.57.175', ['sip:3.208.57.175']],
  ['single SRS over TLS', 'sips:siprec.example.com', ['sips:siprec.example.com']],
  [
    'multiple parallel recorders',
    'sip:srs1.example.com,sip:srs2.example.com',
    ['sip:srs1.example.com', 'sip:srs2.example.com'],
  ],
  ['WebSocket URL over TLS', 'wss://siprec.example.com', ['!wss://siprec.example.com']],
  ['WebSocket URL', 'ws://siprec.example.com', ['!ws://siprec.example.com']],
  ['HTTPS URL', 'https://siprec.example.com', ['!https://siprec.example.com']],
  ['HTTP URL', 'http://siprec.example.com', ['!http://siprec.example.com']],
  ['plain hostname', 'siprec.example.com', ['!siprec.example.com']],
  ['plain IP address', '10.0.0.5', ['!10.0.0.5']],
] as const

for (const [name, text, expected] of rows) {
  test(`the product page, ${name}: ${text}`, () => assert.deepEqual(read(text), expected))
}

const more = [
  ['nothing', '', []],
  ['white space and commas', ' , ,, ', []],
  ['the literal undefined, which an unset value becomes', 'undefined', []],
  ['the literal undefined beside a URI', 'undefined,sip:a.example', ['sip:a.example']],
  ['white space around entries', ' sip:a.example ,\tsip:b.example ', ['sip:a.example', 'sip:b.example']],
  ['a comma within angle brackets', '<sip:a,b@c.example>,sip:d.example', ['sip:a,b@c.example', 'sip:d.example']],
  ['a comma within quotes', '"Main, first" <sip:a.example>,sip:b.example', ['sip:a.example', 'sip:b.example']],
  ['a bracket within quotes', '"a < b" <sip:a.example>,sip:b.example', ['sip:a.example', 'sip:b.example']],
  ['an escaped quote within quotes', '"say \\"hi, all\\"" <sip:a.example>', ['sip:a.example']],
  ['a quote that is never closed', '"sip:a.example,sip:b.example', ['!"sip:a.example,sip:b.example']],
  ['the same URI twice', 'sip:a.example,sip:a.example', ['sip:a.example']],
  ['the same URI in another spelling', 'sip:a.example,<SIP:A.EXAMPLE>', ['sip:a.example']],
  ['the same host on another port', 'sip:a.example,sip:a.example:5070', ['sip:a.example', 'sip:a.example:5070']],
  ['the same invalid entry twice', 'a.example,a.example', ['!a.example']],
  ['a mixed list', 'sip:a.example,https://b.example', ['sip:a.example', '!https://b.example']],
  ['parameters', 'sip:srs@a.example;transport=tls;lr', ['sip:srs@a.example;transport=tls;lr']],
  ['an IPv6 address', 'sip:[2001:db8::5]:5060', ['sip:[2001:db8::5]:5060']],
  ['upper case scheme', 'SIP:a.example', ['SIP:a.example']],
  ['a telephone URI', 'tel:+15550100', ['!tel:+15550100']],
  ['a scheme alone', 'sip:', ['!sip:']],
  ['a port that is none', 'sip:a.example:x', ['!sip:a.example:x']],
  ['white space within', 'sip:a .example', ['!sip:a .example']],
] as const

for (const [name, text, expected] of more) {
  test(`a list with ${name}`, () => assert.deepEqual(read(text), expected))
}

const alternatives = [
  [
    'one after another',
    'sip:a.example|sip:b.example | sip:c.example',
    ['sip:a.example or sip:b.example or sip:c.example'],
  ],
  [
    'beside a parallel one',
    'sip:a.example|sip:b.example,sip:c.example',
    ['sip:a.example or sip:b.example', 'sip:c.example'],
  ],
  ['with doubles', 'sip:a.example|<SIP:A.EXAMPLE>|sip:b.example', ['sip:a.example or sip:b.example']],
  ['none of them there', '|', []],
  ['a bar within angle brackets', '<sip:a|b@c.example>', ['!sip:a|b@c.example']],
  ['the first of them unusable', 'wss://a.example|sip:b.example', ['sip:b.example', '!wss://a.example']],
] as const

for (const [name, text, expected] of alternatives) {
  test(`SRC-60: alternatives, ${name}: ${text}`, () => {
    const shown = parseRecorderList(text).map((entry) =>
      entry.valid ? [entry.uri, ...entry.alternatives].join(' or ') : `!${entry.uri}`,
    )
    assert.deepEqual(shown, expected)
  })
}

test('the reason tells a missing scheme from a malformed URI', () => {
  const reasons = parseRecorderList('a.example,sip:a.example:x').map((entry) => (entry.valid ? '' : entry.reason))
  assert.match(reasons[0] ?? '', /must begin with sip: or sips:/)
  assert.match(reasons[1] ?? '', /not a valid SIP URI/)
})

test('at most 16 recorders are taken, and the others are told so', () => {
  const list = Array.from({ length: 40 }, (_, index) => `sip:srs${index}.example`).join(',')
  const entries = parseRecorderList(list)
  assert.equal(entries.filter((entry) => entry.valid).length, 16)
  assert.deepEqual(entries.at(-1)?.valid, false)
})

test('no text makes the list throw, and what it takes for valid begins with sip: or sips:', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'sip:,|<>" \\@.x[]é') }), (text) => {
      for (const entry of parseRecorderList(text)) if (entry.valid) assert.match(entry.uri, /^sips?:/i)
    }),
  )
})
