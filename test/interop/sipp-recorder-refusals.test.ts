// Recorders of SIPp that do not take the first INVITE as it is: challenged, refused, not answered, in another type or interval.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openSippRecorder, recordAt, type SippRecorder } from '../harness/sipp-recorder.ts'
import { openTalk, type Talk } from '../harness/talk.ts'
import { requireTools } from '../harness/tools.ts'

requireTools('sipp')

const PASSWORD = 'pass: "word"'

type Keys = Readonly<Record<string, string>>

/** A talk whose recorders have a profile with these keys. */
function openProfiledTalk(t: TestContext, profile: Readonly<Record<string, unknown>>): Promise<Talk> {
  return openTalk(t, { gateway: { recording: { profiles: [{ name: 'sipp', ...profile }] } } })
}

/** The session that the first INVITE of a recorder tells of. */
async function sessionAt(recorder: SippRecorder): Promise<string> {
  return /session_id="([^"]+)"/.exec(await recorder.messages())?.[1] ?? assert.fail('no session')
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

for (const [statusLine, challenge, credentials] of [
  ['SIP/2.0 401 Unauthorized', 'WWW-Authenticate', 'Authorization'],
  ['SIP/2.0 407 Proxy Authentication Required', 'Proxy-Authenticate', 'Proxy-Authorization'],
] as const) {
  test(`SIP-36: a recorder that asks with ${challenge} is answered with SHA-256`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'password-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const passwordFile = join(folder, 'password')
    await writeFile(passwordFile, `${PASSWORD}\n`)
    const recorder = await openSippRecorder(t, 'recorder-digest', { status_line: statusLine, challenge })
    const talk = await openProfiledTalk(t, { credentials: { username: 'gateway', passwordFile } })
    await recordAt(talk, recorder.uri, recorder)
    const line = new RegExp(`^${credentials}: Digest (.*)$`, 'm').exec(await recorder.messages())?.[1] ?? ''
    const parts = [...line.matchAll(/(\w+)=(?:"([^"]*)"|([^,\s]+))/g)]
    const given = Object.fromEntries(parts.map(([, name, quoted, token]) => [name, quoted ?? token]))
    // RFC 7616 section 3.4.1.
    const secret = sha256(`gateway:recorder.test:${PASSWORD}`)
    const request = sha256(`INVITE:${given['uri']}`)
    const proof = [secret, given['nonce'], given['nc'], given['cnonce'], given['qop'], request].join(':')
    assert.equal(given['response'], sha256(proof), line)
  })
}

for (const [name, scenario, keys] of [
  [
    'SRC-60, SRC-65: 503 with Retry-After',
    'recorder-refusing',
    { status_line: 'SIP/2.0 503 Service Unavailable', header: 'Retry-After: 30' },
  ],
  ['SRC-65: 486', 'recorder-refusing', { status_line: 'SIP/2.0 486 Busy Here', header: 'Server: busy' }],
  ['SRC-60: silence', 'recorder-silent', {}],
] as const satisfies readonly (readonly [string, string, Keys])[]) {
  test(`${name} of one recorder: the next gets the INVITE with the same session`, async (t) => {
    const first = await openSippRecorder(t, scenario, keys)
    const second = await openSippRecorder(t, 'recorder-plain')
    const talk = await openProfiledTalk(t, {})
    await recordAt(talk, `${first.uri}|${second.uri}`, second)
    await first.succeeded()
    assert.equal(await sessionAt(second), await sessionAt(first))
    assert.equal(first.packets(), 0)
  })
}

test('SIP-21: a 422 is retried with the interval of Min-SE', async (t) => {
  const recorder = await openSippRecorder(t, 'recorder-min-se')
  await recordAt(await openProfiledTalk(t, { sessionExpiresSeconds: 90 }), recorder.uri, recorder)
})
