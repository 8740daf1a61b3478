import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { type Clock, ManualClock, seededIds, silentLogger } from '#kernel'
import { createLocator } from '#net'
import { parseSipUri, type SipUri } from '#sip'
import { DnsServer, type ZoneEntry } from '../harness/dns-server.ts'

const open: DnsServer[] = []
afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
})

function uri(text: string): SipUri {
  const parsed = parseSipUri(text)
  assert.ok(parsed.ok)
  return parsed.value
}

async function locatorOver(zone: Record<string, ZoneEntry>, hosts: Record<string, string[]> = {}) {
  const dns = await DnsServer.open(zone)
  open.push(dns)
  const clock = new ManualClock()
  const locator = createLocator({
    servers: [dns.address],
    supports: () => true,
    clock,
    ids: seededIds(3),
    log: silentLogger,
    lookup: async (name) => hosts[name] ?? [],
  })
  const find = async (text: string): Promise<string[] | string> => {
    const found = await locator.locate(uri(text))
    if (!found.ok) return found.error.code
    return found.value.map(({ transport, host, port }) => `${transport} ${host} ${port}`)
  }
  return { dns, clock, find }
}

const SRS: Record<string, ZoneEntry> = {
  'example.com': {
    a: ['192.0.2.1'],
    naptr: [
      { order: 10, preference: 1, flags: 's', services: 'SIP+D2T', regexp: '', replacement: '_sip._tcp.example.com' },
      { order: 20, preference: 1, flags: 's', services: 'SIP+D2U', regexp: '', replacement: '_sip._udp.example.com' },
    ],
  },
  '_sip._tcp.example.com': {
    srv: [
      { priority: 20, weight: 1, port: 5062, target: 'b.example.com' },
      { priority: 10, weight: 1, port: 5061, target: 'a.example.com' },
    ],
  },
  'a.example.com': { a: ['192.0.2.21'], aaaa: ['2001:db8::21'] },
  'b.example.com': { aaaa: ['2001:db8::22'] },
}

test('SIP-40, SRC-09: NAPTR leads to SRV and SRV to addresses, IPv6 only where there is no IPv4', async () => {
  const { find } = await locatorOver(SRS)
  assert.deepEqual(await find('sip:srs@example.com'), ['tcp 192.0.2.21 5061', 'tcp 2001:db8::22 5062'])
})

test('SIP-40: an IP literal causes no query', async () => {
  const { dns, find } = await locatorOver(SRS)
  assert.deepEqual(await find('sip:192.0.2.9;transport=tcp'), ['tcp 192.0.2.9 5060'])
  assert.deepEqual(dns.questions, [])
})

test('answers are remembered for their time to live, and shared by searches at the same time', async () => {
  const { dns, clock, find } = await locatorOver({ 'one.test': { a: ['192.0.2.1'] } })
  await Promise.all([find('sip:one.test:5060'), find('sip:one.test:5060')])
  assert.deepEqual([...dns.questions].sort(), ['A one.test', 'AAAA one.test'])
  dns.zone.set('one.test', { a: ['192.0.2.2'] })
  clock.advance(59_000)
  assert.deepEqual(await find('sip:one.test:5060'), ['udp 192.0.2.1 5060'])
  clock.advance(1_000)
  assert.deepEqual(await find('sip:one.test:5060'), ['udp 192.0.2.2 5060'])
})

test('a name that does not exist is no target; a broken name server is a failure that is not remembered', async () => {
  const { dns, find } = await locatorOver({ 'broken.test': { broken: true } })
  assert.equal(await find('sip:nowhere.test'), 'no-target')
  assert.equal(await find('sip:broken.test:5060'), 'dns-failure')
  dns.zone.set('broken.test', { a: ['192.0.2.3'] })
  assert.deepEqual(await find('sip:broken.test:5060'), ['udp 192.0.2.3 5060'])
})

test('names of this machine are found without DNS knowing them', async () => {
  const { dns, find } = await locatorOver({}, { recorder: ['10.0.0.5'] })
  assert.deepEqual(await find('sip:recorder;transport=tcp'), ['tcp 10.0.0.5 5060'])
  dns.questions.length = 0
  assert.deepEqual(await find('sip:localhost:5070'), ['udp 127.0.0.1 5070'])
  assert.deepEqual(dns.questions, [])
})

test('a system lookup that hangs is left behind after its time', async () => {
  let started = (): void => {}
  const lookupStarted = new Promise<void>((resolve) => {
    started = resolve
  })
  const clock: Clock & { advance(ms: number): void } = new ManualClock()
  const dns = await DnsServer.open({})
  open.push(dns)
  const lookup = (): Promise<string[]> => {
    started()
    return new Promise(() => {})
  }
  const options = { servers: [dns.address], supports: () => true, clock, ids: seededIds(1), log: silentLogger, lookup }
  const found = createLocator(options).locate(uri('sip:slow.test:5060'))
  await lookupStarted
  clock.advance(2_000)
  assert.deepEqual(await found, { ok: false, error: { code: 'no-target', message: 'no address found' } })
})

test('a name server that is not an address is refused', () => {
  const options = {
    servers: ['dns.example.com'],
    supports: () => true,
    clock: new ManualClock(),
    ids: seededIds(1),
    log: silentLogger,
  }
  assert.throws(() => createLocator(options), { code: 'net.dns-server-invalid' })
})
