import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { AppError } from '#kernel'
import { configProblemText, loadConfig, parseConfig, printConfig } from './config.ts'

const SECRET = 'hunter2'
const folder = await mkdtemp(join(tmpdir(), 'config-'))
after(() => rm(folder, { recursive: true }))

const fixture = (name: string): string => fileURLToPath(new URL(`../../../test/fixtures/tls/${name}`, import.meta.url))

/** A gateway with profiles, one a line, from line 4 on. */
function withProfiles(...profiles: string[]): string {
  return `gateway:\n  recording:\n    profiles:\n${profiles.map((profile) => `      - ${profile}\n`).join('')}`
}

function refused(text: string): string[] {
  const parsed = parseConfig(text, 'test.yaml')
  return parsed.ok ? [] : parsed.error.map(configProblemText)
}

const REFUSED: readonly [why: string, profile: string, problem: string][] = [
  ['an unknown key', '{ name: a, tls: x }', '0.tls: unknown key: expected one of name, match, preset, transport,'],
  ['an unknown key inside', '{ name: a, media: { codec: x } }', '0.media.codec: unknown key: expected one of streams,'],
  ['a profile without a name', '{ match: [a.example] }', '0.name: missing: expected a text'],
  [
    'a bad host',
    '{ name: a, match: ["sip:a.example"] }',
    '0.match.0: a host, a domain such as .example.com or a network',
  ],
  [
    'a bad network',
    '{ name: a, match: [10.0.0.0/33] }',
    '0.match.0: a host, a domain such as .example.com or a network',
  ],
  ['an unknown preset', '{ name: a, preset: nice }', '0.preset: expected one of rfc, jambonz, smarttap, google, chime'],
  ['an unknown SRTP suite', '{ name: a, media: { srtp: [NULL] } }', '0.media.srtp.0: expected one of AES_CM_128'],
  [
    'an SRTP suite named twice',
    '{ name: a, media: { srtp: [AEAD_AES_128_GCM, AEAD_AES_128_GCM] } }',
    '0.media.srtp: each suite once',
  ],
  [
    'a transport without a listener',
    '{ name: a, transport: tls }',
    '0.transport: a listener in gateway.sip.listen with transport tls',
  ],
  [
    'a preset whose transport has no listener',
    '{ name: a, preset: google }',
    '0.transport: a listener in gateway.sip.listen with transport tls',
  ],
  ['unknown certificates', '{ name: a, tlsIdentity: b }', '0.tlsIdentity: the name of an entry of gateway.sip.tls.'],
  [
    'a password in the file',
    `{ name: a, credentials: { username: u, password: ${SECRET} } }`,
    '0.credentials.password: unknown key: expected one of username, passwordVariable, passwordFile, allowMd5',
  ],
  [
    'no password',
    '{ name: a, credentials: { username: u } }',
    '0.credentials: either passwordVariable or passwordFile',
  ],
  ['a line break in a header', '{ name: a, headers: { X-A: "a\\r\\nX-B: b" } }', '0.headers.X-A: expected'],
  ['a header name that is none', '{ name: a, headers: { "X A": b } }', '0.headers: names of SIP headers'],
  ['a session timer below the least', '{ name: a, sessionExpiresSeconds: 89 }', '0.sessionExpiresSeconds: expected an'],
]

for (const [why, profile, problem] of REFUSED) {
  test(`a recorder profile with ${why} is refused with file, line and key`, () => {
    const [told, ...more] = refused(withProfiles(profile))
    assert.deepEqual(more, [])
    assert.ok(told?.startsWith(`test.yaml:4: gateway.recording.profiles.${problem}`), told)
    assert.ok(told?.includes(SECRET) === false)
  })
}

test('recorders that are no SIP URIs, or that stand in two lists, are refused', () => {
  const recording = (keys: string): string => `gateway:\n  recording:\n    ${keys}\n`
  assert.deepEqual(refused(recording('recorders: ["sip:a.example:x"]')), [
    'test.yaml:3: gateway.recording.recorders.0: a valid SIP URI',
  ])
  assert.deepEqual(
    refused(recording('failover: [["sip:a.example", "sip:b.example"], ["sip:c.example", "sip:a.example"]]')),
    ['test.yaml:3: gateway.recording.failover.1.1: each recorder in one list, once'],
  )
  assert.deepEqual(refused(recording('failover: [["sip:a.example"]]')), [
    'test.yaml:3: gateway.recording.failover.0: expected a list with at least 2 entries',
  ])
})

test('a profile that counts OPTIONS which nobody sends is refused', () => {
  const written = (intervalMs: number): string =>
    `gateway:\n  recording:\n    health: { intervalMs: ${intervalMs} }\n    profiles: [{ name: a, lostAfterProbes: 2 }]\n`
  assert.deepEqual(refused(written(1000)), [])
  assert.deepEqual(refused(written(0)), [
    'test.yaml:4: gateway.recording.profiles.0.lostAfterProbes: gateway.recording.health.intervalMs above 0',
  ])
})

test('a profile that could never be reached and a name given twice are refused', () => {
  assert.deepEqual(refused(withProfiles('{ name: a }', '{ name: a, match: [b.example] }')), [
    'test.yaml:4: gateway.recording.profiles.0: a match, since the profiles after it would never be reached',
    'test.yaml:5: gateway.recording.profiles.1.name: another name than that of the profiles before',
  ])
})

async function problemsOf(gateway: unknown, environment: Record<string, string> = {}): Promise<string[]> {
  const file = join(folder, 'gateway.yaml')
  await writeFile(file, stringify({ gateway }))
  try {
    await loadConfig(file, environment)
    return []
  } catch (fault) {
    assert.ok(fault instanceof AppError)
    return fault.message.split('\n').map((line) => line.replace(/^.*gateway\.yaml:(\d+): /, '$1: '))
  }
}

const sip = (tls: unknown): unknown => ({ sip: { tls } })
const gw = { certFile: fixture('gw.cert.pem'), keyFile: fixture('gw.key.pem') }

const FILES: readonly [why: string, tls: unknown, problem: RegExp][] = [
  ['a missing key file', { ...gw, keyFile: 'no-such.pem' }, /^5: gateway\.sip\.tls\.keyFile: a readable file: ENOENT/],
  [
    'a key as certificate',
    { ...gw, certFile: gw.keyFile },
    /^4: gateway\.sip\.tls\.certFile: a certificate in PEM form$/,
  ],
  [
    'a certificate as key',
    { ...gw, keyFile: gw.certFile },
    /^5: gateway\.sip\.tls\.keyFile: a private key without a pa/,
  ],
  [
    'the key of another certificate',
    { ...gw, keyFile: fixture('peer.key.pem') },
    /^5: gateway\.sip\.tls\.keyFile: the private key of the certificate in certFile$/,
  ],
  ['authorities that are none', { ...gw, caFile: fixture('README.md') }, /^6: gateway\.sip\.tls\.caFile: certificates/],
  [
    'other certificates that do not fit',
    { ...gw, identities: [{ name: 'a', ...gw, keyFile: fixture('peer.key.pem') }] },
    /^9: gateway\.sip\.tls\.identities\.0\.keyFile: the private key of/,
  ],
]

for (const [why, tls, problem] of FILES) {
  test(`SEC-02: ${why} is refused at the start with file, line and key, and nothing of the key is told`, async () => {
    const problems = await problemsOf(sip(tls))
    assert.equal(problems.length, 1)
    assert.match(problems[0]!, problem)
    assert.doesNotMatch(problems[0]!, /BEGIN|MH[A-Za-z0-9+/]{20}/)
  })
}

test('certificates and keys that belong together are taken', async () => {
  assert.deepEqual(
    await problemsOf(sip({ ...gw, caFile: fixture('ca.cert.pem'), identities: [{ name: 'a', ...gw }] })),
    [],
  )
})

test('SEC-27: the passwords of the clients of a recorder are looked for before anything is opened', async () => {
  const passwordFile = join(folder, 'client')
  const recorder = (user: object): string =>
    stringify({ recorder: { admit: [{ users: [{ username: 'u', ...user }] }] } })
  const file = join(folder, 'recorder.yaml')
  await writeFile(file, recorder({ passwordFile }))
  await assert.rejects(loadConfig(file, {}), /recorder\.admit\.0\.users\.0\.passwordFile: a readable file: ENOENT/)
  await writeFile(passwordFile, `${SECRET}\n`)
  assert.ok(!printConfig(await loadConfig(file, {})).includes(SECRET))
  await writeFile(file, recorder({ passwordVariable: 'CLIENT_PASSWORD' }))
  await assert.rejects(loadConfig(file, {}), /passwordVariable: the name of a variable that is set/)
  await loadConfig(file, { CLIENT_PASSWORD: SECRET })
})

test('a password comes from the environment or from a file, and is never told', async () => {
  const passwordFile = join(folder, 'password')
  const profile = (credentials: object): unknown => ({
    recording: { profiles: [{ name: 'a', credentials: { username: 'u', ...credentials } }] },
  })
  const variable = profile({ passwordVariable: 'RECORDER_PASSWORD' })
  assert.deepEqual(await problemsOf(variable, { RECORDER_PASSWORD: SECRET }), [])
  assert.deepEqual(await problemsOf(variable), [
    '7: gateway.recording.profiles.0.credentials.passwordVariable: the name of a variable that is set',
  ])
  assert.deepEqual(await problemsOf({ credentials: [{ hosts: ['a'], username: 'u', passwordVariable: 'TRUNK' }] }), [
    '6: gateway.credentials.0.passwordVariable: the name of a variable that is set',
  ])
  assert.match(
    (await problemsOf(profile({ passwordFile })))[0] ?? '',
    /credentials\.passwordFile: a readable file: ENOENT/,
  )
  await writeFile(passwordFile, `\n${SECRET}\n`)
  assert.deepEqual(await problemsOf(profile({ passwordFile })), [
    '7: gateway.recording.profiles.0.credentials.passwordFile: a password in the first line of the file',
  ])
  await writeFile(passwordFile, `${SECRET}\n`)
  assert.deepEqual(await problemsOf(profile({ passwordFile })), [])
  const config = await loadConfig(join(folder, 'gateway.yaml'), {})
  assert.ok(!printConfig(config).includes(SECRET))
})
