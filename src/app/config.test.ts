import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { configProblemText, loadConfig, parseConfig, printConfig } from './config.ts'
import type { SchemaNode } from './config-check.ts'
import { configKeys, configReference } from './config-reference.ts'
import { type Config, configSchema } from './config-schema.ts'

const EXAMPLE = new URL('../../../config/example.yaml', import.meta.url)

function accepted(text: string, environment: Record<string, string> = {}): Config {
  const parsed = parseConfig(text, 'test.yaml', environment)
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.error.map(configProblemText).join('\n'))
  return parsed.value
}

function refused(text: string, environment: Record<string, string> = {}): string[] {
  const parsed = parseConfig(text, 'test.yaml', environment)
  return parsed.ok ? [] : parsed.error.map(configProblemText)
}

const REFUSED: readonly [why: string, text: string, problem: string][] = [
  [
    'an unknown key',
    'recorder: {}\nlogs: {}',
    'test.yaml:2: logs: unknown key: expected one of log, http, dns, gateway, recorder',
  ],
  [
    'an unknown key inside',
    'recorder:\n  media: { srtp: { suits: x } }',
    'test.yaml:2: recorder.media.srtp.suits: unknown key: expected one of suites, keysWithoutTls',
  ],
  [
    'an unknown key in a list',
    'gateway:\n  routes:\n    - match: a\n      flow: f\n      to: x',
    'test.yaml:5: gateway.routes.0.to: unknown key: expected one of match, flow, input, callee, ringTimeoutMs',
  ],
  ['a wrong type', 'recorder: {}\nhttp:\n  port: web', 'test.yaml:3: http.port: expected an integer from 0 to 65535'],
  [
    'a number out of range',
    'gateway:\n  limits: { activeCalls: 0 }',
    'test.yaml:2: gateway.limits.activeCalls: expected an integer from 1 to 100000',
  ],
  [
    'a deadline above 20 s',
    'gateway:\n  recording: { answerDeadlineMs: 20001 }',
    'test.yaml:2: gateway.recording.answerDeadlineMs: expected an integer from 100 to 20000',
  ],
  [
    'a value that is not in the list',
    'recorder: {}\nlog: { level: loud }',
    'test.yaml:2: log.level: expected one of debug, info, warn, error, silent',
  ],
  [
    'a number where text belongs',
    'gateway:\n  routes:\n    - { match: 1000, flow: f }',
    'test.yaml:3: gateway.routes.0.match: expected a user part, or re: and a regular expression (put it in quotes)',
  ],
  [
    'a missing key',
    'gateway:\n  routes:\n    - { flow: f }',
    'test.yaml:3: gateway.routes.0.match: missing: expected a user part, or re: and a regular expression',
  ],
  [
    'a host name to bind to',
    'recorder:\n  media:\n    host: localhost',
    'test.yaml:3: recorder.media.host: expected an IP address',
  ],
  ['a section that is empty', 'recorder:\n', 'test.yaml:1: recorder: expected a mapping of keys to values'],
  [
    'an empty list of listeners',
    'recorder:\n  sip: { listen: [] }',
    'test.yaml:2: recorder.sip.listen: expected a list with at least one entry',
  ],
  [
    'a recorder that is not SIP',
    'gateway:\n  recording:\n    recorders: [wss://a]',
    'test.yaml:3: gateway.recording.recorders.0: expected a sip: or sips: URI',
  ],
  ['no role', 'log: {}', 'test.yaml:1: at least one role is needed: gateway or recorder'],
  ['an empty file', '', 'test.yaml:1: at least one role is needed: gateway or recorder'],
  ['a list instead of a mapping', '- a', 'test.yaml:1: expected a mapping of keys to values'],
  [
    'a route to nowhere',
    'gateway:\n  routes:\n    - match: a',
    'test.yaml:3: gateway.routes.0: either flow or callee, and not both',
  ],
  [
    'a route to two places',
    'gateway:\n  routes:\n    - { match: a, flow: f, callee: "sip:b@c" }',
    'test.yaml:3: gateway.routes.0: either flow or callee, and not both',
  ],
  [
    'input without a flow',
    'gateway:\n  routes:\n    - match: a\n      callee: sip:b@c\n      input: { x: y }',
    'test.yaml:5: gateway.routes.0.input: a flow that takes this input',
  ],
  [
    'a broken expression',
    'gateway:\n  routes:\n    - { match: "re:(", flow: f }',
    'test.yaml:3: gateway.routes.0.match: a valid regular expression after re:',
  ],
  [
    'ports in the wrong order',
    'recorder:\n  media:\n    portMin: 15000\n    portMax: 14000',
    'test.yaml:4: recorder.media.portMax: room for two streams, four ports, above portMin',
  ],
  [
    'TLS without a certificate',
    'recorder:\n  sip:\n    listen:\n      - { transport: tls, port: 5061 }',
    'test.yaml:4: recorder.sip.listen.0.transport: a section tls with certFile and keyFile',
  ],
  [
    'client certificates without an authority',
    'recorder:\n  sip:\n    tls: { certFile: a, keyFile: b, verifyClient: true }',
    'test.yaml:3: recorder.sip.tls.verifyClient: a caFile to verify clients against',
  ],
  [
    'an any-address in SDP',
    'gateway:\n  media: { host: 0.0.0.0 }',
    'test.yaml:2: gateway.media.host: an advertisedHost beside an any-address',
  ],
  [
    'an any-address in Via',
    'gateway:\n  sources: [10.0.0.0/8]\n  sip:\n    listen:\n      - { transport: udp, host: "::", port: 5060 }',
    'test.yaml:5: gateway.sip.listen.0.host: an advertisedHost beside an any-address',
  ],
  [
    'a public address open to everybody',
    'recorder:\n  sip:\n    listen:\n      - { transport: udp, host: 203.0.113.1, port: 5060 }',
    'test.yaml:4: recorder.sip.listen.0.host: a loopback or private address, unless recorder.sources or recorder.admit says who may send',
  ],
  [
    'an entry of admit that names nothing',
    'recorder:\n  admit:\n    - sources: []',
    'test.yaml:3: recorder.admit.0: sources, certificates or users',
  ],
  [
    'certificates of clients without an authority',
    'recorder:\n  admit:\n    - certificates: [src.example.com]',
    'test.yaml:3: recorder.admit.0.certificates: a recorder.sip.tls.caFile that they are signed by',
  ],
  [
    'a fingerprint that is none',
    'recorder:\n  sip: { tls: { certFile: a, keyFile: b, caFile: c } }\n  admit:\n    - certificates: ["sha256:AB:CD"]',
    'test.yaml:4: recorder.admit.0.certificates.0: 64 hexadecimal digits after sha256:',
  ],
  [
    'a user of admit with a password in two places',
    'recorder:\n  admit:\n    - users: [{ username: a, passwordVariable: A, passwordFile: b }]',
    'test.yaml:3: recorder.admit.0.users.0: either passwordVariable or passwordFile',
  ],
  [
    'a user of admit who is there twice',
    'recorder:\n  admit:\n    - users: [{ username: a, passwordFile: b }, { username: a, passwordFile: c }]',
    'test.yaml:3: recorder.admit.0.users.1.username: another name than those before',
  ],
  [
    'a password of admit in the configuration',
    'recorder:\n  admit:\n    - users: [{ username: a, password: secret }]',
    'test.yaml:3: recorder.admit.0.users.0.password: unknown key: expected one of username, passwordVariable, passwordFile',
  ],
  [
    'credentials of callees with two passwords',
    'gateway:\n  credentials:\n    - { hosts: [a.example.com], username: a, passwordVariable: A, passwordFile: b }',
    'test.yaml:3: gateway.credentials.0: either passwordVariable or passwordFile',
  ],
  [
    'credentials of callees for what is no host',
    'gateway:\n  credentials:\n    - { hosts: ["a b"], username: a, passwordFile: b }',
    'test.yaml:3: gateway.credentials.0.hosts.0: a host, a domain such as .example.com or a network',
  ],
  [
    'a sign-in service that anybody on the way could play',
    'recorder: {}\nhttp:\n  oidc:\n    issuer: http://login.example.com\n    clientId: rec',
    'test.yaml:4: http.oidc.issuer: an https URL, or an http URL on loopback',
  ],
  [
    'a token that anybody on the way could read',
    'gateway:\n  recording:\n    recorderApis:\n      - url: http://recorder.example.com\n        secretVariable: TOKEN',
    'test.yaml:4: gateway.recording.recorderApis.0.url: an https URL, or an http URL on loopback, for a token is sent there',
  ],
  [
    'the API of a recorder with a path',
    'gateway:\n  recording:\n    recorderApis:\n      - url: https://recorder.example.com/api',
    'test.yaml:4: gateway.recording.recorderApis.0.url: expected an http or https URL without a path',
  ],
  [
    'a source that is no network',
    'gateway:\n  info:\n    trustedPeers:\n      - 10.0.0.0/33',
    'test.yaml:4: gateway.info.trustedPeers.0: an IP address or a network such as 10.0.0.0/8',
  ],
]

for (const [why, text, problem] of REFUSED) {
  test(`${why} is refused with file, line, key and what was expected`, () => {
    assert.deepEqual(refused(text), [problem])
  })
}

test('text that is not YAML is refused with its line', () => {
  assert.match(refused('log: {}\nhttp: [1\n')[0]!, /^test\.yaml:\d+: expected valid YAML: /)
  assert.match(refused('log: {}\nlog: {}\n')[0]!, /^test\.yaml:2: expected valid YAML: /)
})

test('all problems are told at once', () => {
  assert.equal(refused('gateway:\n  limts: {}\n  media: { workers: 0 }\nhttp: { port: -1 }').length, 3)
})

test('many unknown keys do not hide that there are any', () => {
  const keys = Array.from({ length: 50 }, (_, at) => `key${at}: 1`)
  assert.ok(refused(keys.join('\n')).length > 0)
})

test('a role that is not written is off, an empty one has the defaults', () => {
  const config = accepted('recorder: {}')
  assert.equal(config.gateway, undefined)
  assert.equal(config.http, undefined)
  assert.equal(config.log.level, 'info')
  assert.equal(config.recorder?.store.folder, './recordings')
  assert.deepEqual(config.recorder?.sip.listen[0], { transport: 'udp', host: '127.0.0.1', port: 5080 })
})

test('the result is frozen all the way down, and one result does not share state with the next', () => {
  const config = accepted('gateway: {}')
  assert.throws(() => (config.gateway!.sip.listen as unknown[]).push({}), TypeError)
  assert.throws(() => Object.assign(config.gateway!.limits, { activeCalls: 1 }), TypeError)
  assert.deepEqual(accepted('gateway: {}'), config)
})

test('variables go before the file, and their problems name them', () => {
  const config = accepted('recorder: {}\nlog: { level: warn }', { SIPREC_LOG_LEVEL: 'debug', SIPREC_HTTP_PORT: '9000' })
  assert.equal(config.log.level, 'debug')
  assert.deepEqual([config.http?.host, config.http?.port], ['127.0.0.1', 9000])
  assert.deepEqual(refused('recorder: {}', { SIPREC_HTTP_PORT: 'web' }), [
    'SIPREC_HTTP_PORT: http.port: expected an integer from 0 to 65535',
  ])
})

test('the example file holds the defaults and, beyond them, only what its demo needs', () => {
  const example = accepted(readFileSync(EXAMPLE, 'utf8'))
  const standard = accepted('http: {}\ngateway: {}\nrecorder: {}')
  assert.ok(example.gateway !== undefined && standard.gateway !== undefined)
  assert.deepEqual(
    example.gateway.routes.map(({ match, flow }) => [match, flow]),
    [
      ['echo', 'flows/echo.yaml'],
      ['record', 'flows/record-and-dial.yaml'],
    ],
  )
  const { routes, destinations, info } = standard.gateway
  const { recorders } = standard.gateway.recording
  const recording = { ...example.gateway.recording, recorders }
  const gateway = { ...example.gateway, routes, destinations, info, recording }
  assert.deepEqual({ ...example, gateway }, standard)
})

test('the example file and the reference page show every key', () => {
  const example = readFileSync(EXAMPLE, 'utf8')
  const reference = configReference()
  const keys = configKeys(configSchema as SchemaNode, '')
  assert.ok(keys.length > 50)
  for (const { key, node } of keys) {
    const name = key.slice(key.lastIndexOf('.') + 1)
    assert.match(example, new RegExp(`(^|[ {])${name}:`, 'm'), key)
    assert.ok(reference.includes(`\`${key.slice(1)}\``), key)
    assert.match(node.description ?? '', /[a-z].*\.$/, `${key} needs a sentence`)
  }
})

test('SEC-27: a recorder may listen on a public address once its clients are listed, in whichever way', () => {
  const listed = (...lines: readonly string[]): string =>
    ['recorder:', '  sip:', '    listen: [{ transport: udp, host: 203.0.113.1, port: 5060 }]', ...lines].join('\n')
  accepted(listed('  sources: [192.0.2.0/24]'))
  accepted(listed('  admit: [{ users: [{ username: a, passwordFile: b }] }]'))
  accepted(listed('    tls: { certFile: a, keyFile: b, caFile: c }', '  admit: [{ certificates: [src.example.com] }]'))
  assert.match(refused(listed('  admit: []'))[0] ?? '', /unless recorder\.sources or recorder\.admit says who may send/)
})

test('what is printed parses to the same configuration, with passwords masked', () => {
  const config = accepted('gateway:\n  routes:\n    - { match: a, callee: "sip:bob:secret@127.0.0.1" }')
  const printed = printConfig(config)
  assert.ok(!printed.includes('secret'))
  assert.deepEqual(accepted(printed.replace('***', 'secret')), config)
})

test('a file that cannot be read is named', async () => {
  await assert.rejects(loadConfig('no-such-file.yaml', {}), {
    code: 'config.unreadable',
    message: /no-such-file\.yaml/,
  })
})

test('arbitrary text never makes the reader throw', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => void parseConfig(text, 'test.yaml')))
  fc.assert(fc.property(fc.json(), (text) => void parseConfig(text, 'test.yaml')))
})

test('DATABASE_URL goes before the file, is checked, switches no recorder on, and its password is not printed', () => {
  const address = 'postgres://recorder:secret@db.test/recordings'
  const config = accepted('recorder:\n  store: { database: "postgres://other/x" }', { DATABASE_URL: address })
  assert.equal(config.recorder?.store.database, address)
  assert.match(printConfig(config), /database: postgres:\/\/recorder:\*\*\*@db\.test\/recordings/)
  assert.equal(accepted('gateway: {}', { DATABASE_URL: address }).recorder, undefined)
  assert.deepEqual(refused('recorder: {}', { DATABASE_URL: 'mysql://x' }), [
    'DATABASE_URL: recorder.store.database: expected postgres://user@host/database or memory',
  ])
})
