import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Ids, seededIds } from '#kernel'
import { type DnsAnswer, type DnsQuestion, Location, type SrvRecord, srvOrder } from './locate.ts'
import { parseSipUri, type SipUri } from './message/uri.ts'
import type { SipTarget, TransportName } from './transport-port.ts'

const uri = (text: string): SipUri => {
  const parsed = parseSipUri(text)
  assert.ok(parsed.ok, text)
  return parsed.value
}
const all = (): boolean => true
const only =
  (...names: TransportName[]) =>
  (transport: TransportName): boolean =>
    names.includes(transport)

const EMPTY: Readonly<Record<DnsQuestion['type'], DnsAnswer>> = {
  naptr: { type: 'naptr', records: [] },
  srv: { type: 'srv', records: [] },
  address: { type: 'address', records: [] },
}
type Zone = Readonly<Record<string, DnsAnswer>>
const address = (...records: string[]): DnsAnswer => ({ type: 'address', records })
const srv = (...rows: [priority: number, weight: number, port: number, name: string][]): DnsAnswer => ({
  type: 'srv',
  records: rows.map(([priority, weight, port, name]) => ({ priority, weight, port, name })),
})
const naptr = (...rows: [order: number, service: string, replacement: string][]): DnsAnswer => ({
  type: 'naptr',
  records: rows.map(([order, service, replacement]) => ({
    order,
    preference: 50,
    flags: 's',
    service,
    regexp: '',
    replacement,
  })),
})
const FAILED: DnsAnswer = { type: 'failed' }

/** Runs a search over a zone; returns targets as text (or the error code) and each round of questions. */
function search(text: string, zone: Zone, supports: (t: TransportName) => boolean = all, ids: Ids = seededIds(1)) {
  const location = Location.of(uri(text), supports)
  if (!location.ok) return { found: location.error.code, rounds: [] }
  const rounds: string[][] = []
  for (;;) {
    const questions = location.value.questions()
    if (questions.length === 0) break
    rounds.push(questions.map(({ type, name }) => `${type} ${name}`).sort())
    assert.ok(rounds.length <= 3, 'the search does not end')
    for (const question of questions) {
      location.value.answer(question, zone[`${question.type} ${question.name}`] ?? EMPTY[question.type])
    }
  }
  const targets = location.value.targets(ids)
  return { found: targets.ok ? targets.value.map(show) : targets.error.code, rounds }
}

function show(target: SipTarget): string {
  const name = target.serverName === undefined ? '' : ` as ${target.serverName}`
  return `${target.transport} ${target.host} ${target.port}${name}`
}

const A: Zone = { 'address example.com': address('192.0.2.1', '192.0.2.2') }

const WITHOUT_DNS: readonly [text: string, found: string[] | string][] = [
  ['sip:192.0.2.7', ['udp 192.0.2.7 5060']],
  ['sip:192.0.2.7:5080', ['udp 192.0.2.7 5080']],
  ['sip:192.0.2.7;transport=tcp', ['tcp 192.0.2.7 5060']],
  ['sip:192.0.2.7;transport=TLS', ['tls 192.0.2.7 5061 as 192.0.2.7']],
  ['sip:[2001:db8::1]:5070', ['udp 2001:db8::1 5070']],
  ['sips:192.0.2.7', ['tls 192.0.2.7 5061 as 192.0.2.7']],
  ['sips:192.0.2.7:5099;transport=tcp', ['tls 192.0.2.7 5099 as 192.0.2.7']],
  ['sip:example.com;maddr=192.0.2.8', ['udp 192.0.2.8 5060']],
  ['sips:example.com;maddr=[2001:db8::8]', ['tls 2001:db8::8 5061 as example.com']],
  ['sips:192.0.2.7;transport=udp', 'unsupported-transport'],
  ['sip:192.0.2.7;transport=sctp', 'unsupported-transport'],
  ['tel:+15550100', 'bad-uri'],
  ['sip:192.0.2.7:0', 'bad-uri'],
  ['sip:256.1.1.1', 'bad-uri'],
  ['sip:192.0.2', 'bad-uri'],
  ['sip:a..example.com', 'bad-uri'],
  [`sip:${'a'.repeat(64)}.com`, 'bad-uri'],
  [`sip:${'abcdefgh.'.repeat(30)}com`, 'bad-uri'],
]

for (const [text, expected] of WITHOUT_DNS) {
  test(`SIP-40: ${text.slice(0, 60)} needs no DNS`, () => {
    const { found, rounds } = search(text, A)
    assert.deepEqual(found, expected)
    assert.deepEqual(rounds, [])
  })
}

test('SIP-40: with a port only addresses are asked for, and each is a target', () => {
  const { found, rounds } = search('sip:example.com:5070', A)
  assert.deepEqual(rounds, [['address example.com']])
  assert.deepEqual(found, ['udp 192.0.2.1 5070', 'udp 192.0.2.2 5070'])
})

test('SIP-40: with a transport the SRV name of that transport is asked for, and addresses stand in for it', () => {
  const { found, rounds } = search('sip:example.com;transport=tcp', A)
  assert.deepEqual(rounds, [['address example.com', 'srv _sip._tcp.example.com']])
  assert.deepEqual(found, ['tcp 192.0.2.1 5060', 'tcp 192.0.2.2 5060'])
})

test('SIP-40: NAPTR, SRV and address are asked in one round', () => {
  const { found, rounds } = search('sip:example.com', A)
  assert.deepEqual(rounds, [
    [
      'address example.com',
      'naptr example.com',
      'srv _sip._tcp.example.com',
      'srv _sip._udp.example.com',
      'srv _sips._tcp.example.com',
    ],
  ])
  assert.deepEqual(found, ['udp 192.0.2.1 5060', 'udp 192.0.2.2 5060'])
})

test('SIP-40: NAPTR chooses the transport by order among those supported, and its replacement is followed', () => {
  const zone: Zone = {
    'naptr example.com': naptr(
      [90, 'SIP+D2T', '_sip._tcp.other.net'],
      [50, 'SIPS+D2T', '_sips._tcp.example.com'],
      [100, 'SIP+D2U', '_sip._udp.example.com'],
      [10, 'SIP+D2S', '_sip._sctp.example.com'],
    ),
    'srv _sips._tcp.example.com': srv([0, 1, 5061, 's.example.com']),
    'srv _sip._tcp.other.net': srv([0, 1, 5062, 't.other.net']),
    'srv _sip._udp.example.com': srv([0, 1, 5063, 'u.example.com']),
    'address s.example.com': address('192.0.2.11'),
    'address t.other.net': address('192.0.2.12'),
    'address u.example.com': address('192.0.2.13'),
  }
  assert.deepEqual(search('sip:example.com', zone).found, ['tls 192.0.2.11 5061 as example.com'])
  assert.deepEqual(search('sip:example.com', zone, only('udp', 'tcp')).found, ['tcp 192.0.2.12 5062'])
  assert.deepEqual(search('sip:example.com', zone, only('udp')).found, ['udp 192.0.2.13 5063'])
  assert.deepEqual(search('sips:example.com', zone).found, ['tls 192.0.2.11 5061 as example.com'])
})

test('NAPTR records that are not terminal services are passed over', () => {
  const record = {
    order: 1,
    preference: 1,
    flags: 's',
    service: 'SIP+D2T',
    regexp: '',
    replacement: '_sip._tcp.bad.net',
  }
  const zone: Zone = {
    ...A,
    'naptr example.com': {
      type: 'naptr',
      records: [
        { ...record, flags: 'u' },
        { ...record, regexp: '!.*!sip:x!' },
        { ...record, replacement: '' },
      ],
    },
    'srv _sip._tcp.bad.net': srv([0, 0, 5060, 'bad.net']),
    'address bad.net': address('192.0.2.66'),
  }
  assert.deepEqual(search('sip:example.com', zone).found, ['udp 192.0.2.1 5060', 'udp 192.0.2.2 5060'])
})

test('SEC-05: sips is never downgraded, whatever DNS offers', () => {
  const zone: Zone = {
    ...A,
    'naptr example.com': naptr([1, 'SIP+D2T', '_sip._tcp.example.com']),
    'srv _sip._tcp.example.com': srv([0, 1, 5060, 't.example.com']),
    'address t.example.com': address('192.0.2.12'),
  }
  const expected = ['tls 192.0.2.1 5061 as example.com', 'tls 192.0.2.2 5061 as example.com']
  assert.deepEqual(search('sips:example.com', zone).found, expected)
  assert.equal(search('sips:example.com', zone, only('udp', 'tcp')).found, 'unsupported-transport')
})

test('SRC-09: SRV targets come in order of priority, each with all its addresses, as the list to fail over along', () => {
  const zone: Zone = {
    'srv _sip._tcp.example.com': srv([20, 0, 5062, 'b.example.com'], [10, 0, 5061, 'a.example.com']),
    'address a.example.com': address('192.0.2.21', '192.0.2.22'),
    'address b.example.com': address('192.0.2.23'),
  }
  assert.deepEqual(search('sip:example.com;transport=tcp', zone).found, [
    'tcp 192.0.2.21 5061',
    'tcp 192.0.2.22 5061',
    'tcp 192.0.2.23 5062',
  ])
})

test('SRC-09: within a priority the share of first places follows the weights, and weight 0 is rare', () => {
  const ids = seededIds(7)
  const records: SrvRecord[] = [
    { priority: 1, weight: 60, port: 5060, name: 'heavy' },
    { priority: 1, weight: 0, port: 5060, name: 'zero' },
    { priority: 1, weight: 30, port: 5060, name: 'light' },
  ]
  const first = new Map<string, number>()
  for (let i = 0; i < 3000; i++) {
    const name = srvOrder(records, ids)[0]!.name
    first.set(name, (first.get(name) ?? 0) + 1)
  }
  const share = (name: string): number => (first.get(name) ?? 0) / 3000
  assert.ok(Math.abs(share('heavy') - 2 / 3) < 0.05, String(share('heavy')))
  assert.ok(Math.abs(share('light') - 1 / 3) < 0.05, String(share('light')))
  assert.ok(share('zero') < 0.03, String(share('zero')))
})

test('SRV ordering loses no record and keeps priorities apart', () => {
  const record = fc.record({
    priority: fc.integer({ min: 0, max: 3 }),
    weight: fc.integer({ min: 0, max: 65535 }),
    port: fc.integer({ min: 1, max: 65535 }),
    name: fc.domain(),
  })
  fc.assert(
    fc.property(fc.array(record, { maxLength: 20 }), fc.integer(), (records, seed) => {
      const ordered = srvOrder(records, seededIds(seed))
      assert.deepEqual(new Set(ordered), new Set(records))
      assert.equal(ordered.length, records.length)
      assert.ok(ordered.every((one, at) => at === 0 || ordered[at - 1]!.priority <= one.priority))
    }),
  )
})

test('a service declined by an SRV record for the root is not reached through addresses', () => {
  assert.equal(
    search('sip:example.com;transport=tcp', { ...A, 'srv _sip._tcp.example.com': srv([0, 0, 0, '.']) }).found,
    'no-target',
  )
})

test('a name without records is no target; name servers that fail are a failure', () => {
  assert.equal(search('sip:nowhere.test:5060', {}).found, 'no-target')
  assert.equal(search('sip:nowhere.test:5060', { 'address nowhere.test': FAILED }).found, 'dns-failure')
})

test('failed NAPTR and SRV questions do not stop an answer for the address', () => {
  const zone: Zone = { ...A, 'naptr example.com': FAILED, 'srv _sip._udp.example.com': FAILED }
  assert.deepEqual(search('sip:example.com', zone).found, ['udp 192.0.2.1 5060', 'udp 192.0.2.2 5060'])
})

test('the list of targets is bounded', () => {
  const many = Array.from({ length: 100 }, (_, i) => `192.0.2.${i}`)
  assert.equal(search('sip:example.com:5060', { 'address example.com': address(...many) }).found.length, 16)
})
