import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ManualClock, MemoryLogger, seededIds } from '#kernel'
import { openSignInService } from '../../../../test/harness/sign-in-service.ts'
import { PendingSignIns } from './pending-sign-in.ts'
import { Provider } from './provider.ts'

const TWO_HOURS_MS = 7_200_000

async function openBoth(t: TestContext, clientSecret?: string) {
  const service = await openSignInService(t)
  const clock = new ManualClock()
  const log = new MemoryLogger()
  const own = { issuer: service.issuer, clientId: 'rec', scopes: ['openid'], timeoutMs: 5_000, clock, log }
  const provider = new Provider({ ...own, ...(clientSecret === undefined ? {} : { clientSecret }) })
  const pending = new PendingSignIns(clock, seededIds(1)).begin({ redirectUri: 'https://rec.example/back', place: '/' })
  /** There and back; what the code is worth. */
  const signIn = async () => {
    const address = await provider.addressFor(pending)
    assert.ok(address.ok)
    const back = await fetch(address.value, { redirect: 'manual' })
    return await provider.redeem(pending, new URL(back.headers.get('location') ?? '').search.slice(1), () => false)
  }
  return { service, provider, pending, clock, log, signIn }
}

test('a secret is sent with the code, and never shown in the log', async (t) => {
  const { service, signIn, log } = await openBoth(t, 'correct:horse')
  assert.ok((await signIn()).ok)
  const basic = Buffer.from(service.authorization?.replace('Basic ', '') ?? '', 'base64').toString()
  assert.equal(basic, 'rec:correct%3Ahorse')
  service.forge()
  assert.deepEqual(await signIn(), { ok: false, error: 'not-believed' })
  assert.doesNotMatch(JSON.stringify(log.lines), /horse/)
})

test('without a secret only PKCE says who redeems a code', async (t) => {
  const { service, signIn } = await openBoth(t)
  assert.ok((await signIn()).ok)
  assert.equal(service.authorization, undefined)
})

test('a provider that was found serves as long as it cannot be found again', async (t) => {
  const { service, provider, pending, clock, log } = await openBoth(t)
  assert.ok((await provider.addressFor(pending)).ok)
  await service.stop()
  clock.advance(TWO_HOURS_MS)
  const address = await provider.addressFor(pending)
  assert.equal(address.ok && address.value.origin, service.issuer)
  assert.deepEqual(log.messages(), [])
})

test('a provider that calls itself otherwise than configured is not used', async (t) => {
  const { service, clock, log, pending } = await openBoth(t)
  const issuer = `${service.issuer}/realms/shop`
  const provider = new Provider({ issuer, clientId: 'rec', scopes: ['openid'], timeoutMs: 5_000, clock, log })
  assert.deepEqual(await provider.addressFor(pending), { ok: false, error: 'away' })
  assert.deepEqual(log.messages(), ['sign-in by the provider failed'])
})
