import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SipFlow } from '#sip'
import { openAdmission } from './client-admission.ts'
import type { AdmissionConfig } from './config-schema.ts'

const digest: AdmissionConfig['digest'] = {
  realm: 'siprec',
  allowMd5: false,
  withinDialogs: 'other-source',
  maxFailures: 5,
  refuseSeconds: 30,
}
const FINGERPRINT = 'AB'.repeat(32)
const SOURCES: AdmissionConfig['sources'] = []

function from(host: string, ...names: readonly string[]): SipFlow {
  const flow = { transport: 'tls', local: { host: '192.0.2.1', port: 5061 }, remote: { host, port: 40_000 } } as const
  return names.length === 0
    ? flow
    : { ...flow, certificate: { names, fingerprint: names[0] === 'pinned' ? FINGERPRINT.toLowerCase() : '0' } }
}

test('SEC-27: without entries the networks of sources decide, and nobody is asked', async () => {
  const { admit, authenticate } = await openAdmission({ sources: ['10.0.0.0/8'], admit: [], digest })
  assert.deepEqual([admit(from('10.1.2.3')), admit(from('192.0.2.9'))], [true, false])
  assert.equal(authenticate, undefined)
})

test('SEC-27: a certificate is known by a name in it, by its fingerprint, or by who signed it', async () => {
  const admitted = async (...certificates: string[]): Promise<boolean[]> => {
    const { admit } = await openAdmission({ sources: SOURCES, admit: [{ certificates }], digest })
    const flows = [from('10.0.0.1'), from('10.0.0.1', 'other.example', 'src.example'), from('10.0.0.1', 'pinned')]
    return flows.map(admit)
  }
  assert.deepEqual(await admitted('SRC.example'), [false, true, false])
  assert.deepEqual(await admitted(`sha256:${FINGERPRINT.replace(/..(?=.)/g, '$&:')}`), [false, false, true])
  assert.deepEqual(await admitted('*'), [false, true, true])
  assert.deepEqual(await admitted('src.example.com'), [false, false, false])
})

test('SEC-27: all that an entry names must hold, one entry is enough, and sources holds for every entry', async () => {
  const { admit } = await openAdmission({
    sources: ['10.0.0.0/8'],
    admit: [
      { sources: ['10.1.0.0/16'], certificates: ['src.example'] },
      { sources: ['10.2.0.0/16'] },
      { certificates: ['*'] },
    ],
    digest,
  })
  const cases = [
    from('10.1.0.1'),
    from('10.1.0.1', 'src.example'),
    from('10.2.0.1'),
    from('10.3.0.1', 'any'),
    from('192.0.2.9', 'any'),
  ]
  assert.deepEqual(cases.map(admit), [false, true, true, true, false])
})

test('SEC-27: who holds to an entry without users is not asked; a user is known only where its entry holds', async () => {
  const user = (username: string) => ({ username, passwordVariable: `OF_${username}` })
  const { admit, authenticate } = await openAdmission(
    {
      sources: SOURCES,
      admit: [{ sources: ['10.1.0.0/16'] }, { users: [user('a')] }, { sources: ['10.2.0.0/16'], users: [user('b')] }],
      digest,
    },
    { OF_a: 'sesame', OF_b: 'open' },
  )
  assert.ok(authenticate)
  const { isAsked, passwordOf, guesses } = authenticate
  assert.deepEqual(guesses, { maxFailures: 5, windowMs: 60_000, refuseMs: 30_000 })
  const [inside, elsewhere, second] = [from('10.1.0.1'), from('192.0.2.9'), from('10.2.0.1')]
  assert.deepEqual([admit(elsewhere), isAsked?.(inside), isAsked?.(elsewhere)], [true, false, true])
  assert.deepEqual(
    [passwordOf('a', elsewhere), passwordOf('b', elsewhere), passwordOf('b', second), passwordOf('c', second)],
    ['sesame', undefined, 'open', undefined],
  )
})

test('SEC-27: a password that is nowhere keeps the recorder from starting, and is not told', async () => {
  const admit = [{ users: [{ username: 'a', passwordVariable: 'sesame' }] }]
  await assert.rejects(openAdmission({ sources: SOURCES, admit, digest }, {}), {
    code: 'config.secret-unreadable',
    message: 'recorder.admit.0.users.0.passwordVariable: the name of a variable that is set',
  })
})
