import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { CallBench } from '../../test/harness/call-bench.ts'
import { phoneSdp } from '../../test/harness/test-phone.ts'

const CREDENTIALS = { username: 'gateway', password: 'pass: "word"', allowMd5: false }
const SHA256 = 'Digest realm="carrier", nonce="f84f", opaque="5ccc", algorithm=SHA-256, qop="auth"'
const MD5 = 'Digest realm="carrier", nonce="f84f", algorithm=MD5, qop="auth"'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Whether a request's credentials are those of RFC 7616 section 3.4.1. */
function isProved(method: string, header: string | undefined): boolean {
  const parts = [...(header ?? '').matchAll(/(\w+)=(?:"([^"]*)"|([^,\s]+))/g)]
  const given = Object.fromEntries(parts.map(([, name, quoted, token]) => [name, quoted ?? token]))
  const secret = sha256(`gateway:carrier:${CREDENTIALS.password}`)
  const request = sha256(`${method}:${given['uri']}`)
  const proof = [secret, given['nonce'], given['nc'], given['cnonce'], given['qop'], request].join(':')
  return given['response'] === sha256(proof)
}

async function challenged(
  bench: CallBench,
  status: 401 | 407,
  challenge: string,
): Promise<ReturnType<CallBench['alice']['call']>> {
  const alice = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  const name = status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate'
  bench.bob.incoming[0]?.incoming?.reject(status, { headers: [[name, challenge]] })
  await bench.pass()
  return alice
}

for (const [status, header] of [
  [401, 'Authorization'],
  [407, 'Proxy-Authorization'],
] as const) {
  test(`SIP-36: a callee that answers ${status} is called again with credentials, which later requests bring too`, async () => {
    const bench = new CallBench({ credentialsFor: ({ host }) => (host === '10.0.0.3' ? CREDENTIALS : undefined) })
    const alice = await challenged(bench, status, SHA256)
    const [first, second] = bench.bob.incoming
    assert.equal(first?.incoming?.request.headers.has(header), false)
    assert.ok(isProved('INVITE', second?.incoming?.request.headers.get(header)))
    assert.equal(second?.incoming?.request.headers.get('Call-ID'), first?.incoming?.request.headers.get('Call-ID'))
    second!.accept(phoneSdp())
    await bench.pass()
    assert.equal(alice.accepted?.status, 200)
    assert.ok(!JSON.stringify(bench.log.lines).includes('word'))
    void alice.dialog?.reinvite({ body: phoneSdp({ direction: 'sendonly' }) })
    await bench.pass()
    assert.ok(isProved('INVITE', second!.requests[0]?.request.headers.get(header)))
    void alice.dialog?.bye()
    await bench.pass()
    const bye = bench.network.passages.find(({ text, to }) => text.startsWith('BYE') && to.host === '10.0.0.3')
    assert.ok(isProved('BYE', new RegExp(`^${header}: (.*)$`, 'm').exec(bye?.text ?? '')?.[1]))
    await bench.checkNothingLeft()
  })
}

for (const [what, credentialsFor, challenge] of [
  ['of a host without credentials', () => undefined, SHA256],
  ['by MD5, which is not allowed', () => CREDENTIALS, MD5],
] as const) {
  test(`SIP-36: a challenge ${what} fails the call, and nothing of it is told to the caller`, async () => {
    const bench = new CallBench({ credentialsFor })
    const alice = await challenged(bench, 401, challenge)
    assert.equal(bench.bob.incoming.length, 1)
    assert.ok((alice.failed?.status ?? 0) >= 400)
    assert.equal(alice.failed?.response?.headers.has('WWW-Authenticate'), false)
    await bench.checkNothingLeft()
  })
}

test('SIP-36: a callee that does not believe the credentials fails the call after the second INVITE', async () => {
  const bench = new CallBench({ credentialsFor: () => CREDENTIALS })
  const alice = await challenged(bench, 401, SHA256)
  bench.bob.incoming[1]?.incoming?.reject(401, { headers: [['WWW-Authenticate', SHA256]] })
  await bench.pass()
  assert.equal(bench.bob.incoming.length, 2)
  assert.ok((alice.failed?.status ?? 0) >= 400)
  await bench.checkNothingLeft()
})
