// A trunk of SIPp, written from the RFCs, that challenges the calls of the gateway.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openTestProgram } from '../harness/open-program.ts'
import { startSipp } from '../harness/sipp.ts'
import { untilIdle } from '../harness/talk.ts'
import { requireTools } from '../harness/tools.ts'

requireTools('sipp')

const HOST = '127.0.0.1'
const PASSWORD = 'pass: "word"'
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

for (const transport of ['udp', 'tcp'] as const) {
  test(`SIP-36: a trunk over ${transport} that challenges a call is answered with SHA-256, and so is its BYE`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'sipp-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const passwordFile = join(folder, 'password')
    await writeFile(passwordFile, `${PASSWORD}\n`)
    const callee = await startSipp({ scenario: 'call-digest', transport, folder, args: ['-rtp_echo'] })
    t.after(() => callee.stop())
    const opened = await openTestProgram({
      gateway: {
        routes: [{ match: 'callee', callee: `sip:callee@${HOST}:${callee.port};transport=${transport}` }],
        credentials: [{ hosts: ['127.0.0.0/8'], username: 'gateway', passwordFile }],
      },
    })
    t.after(() => opened.close())
    const remote = { user: 'callee', port: opened.port('gateway', 'udp') }
    const caller = await startSipp({ scenario: 'call-uac', transport: 'udp', folder, remote, args: ['-d', '200'] })
    t.after(() => caller.stop())
    await caller.succeeded()
    await callee.succeeded()
    await untilIdle(opened)
    const proofs = [...(await callee.messages()).matchAll(/^Proxy-Authorization: Digest (.*)$/gm)]
    const methods = ['INVITE', 'BYE']
    assert.ok(proofs.length >= methods.length)
    for (const [at, method] of methods.entries()) {
      const line = proofs.at(at === 0 ? 0 : -1)?.[1] ?? ''
      const parts = [...line.matchAll(/(\w+)=(?:"([^"]*)"|([^,\s]+))/g)]
      const given = Object.fromEntries(parts.map(([, name, quoted, token]) => [name, quoted ?? token]))
      // RFC 7616 section 3.4.1.
      const secret = sha256(`gateway:carrier.test:${PASSWORD}`)
      const request = sha256(`${method}:${given['uri']}`)
      const proof = [secret, given['nonce'], given['nc'], given['cnonce'], given['qop'], request].join(':')
      assert.equal(given['response'], sha256(proof), line)
    }
  })
}
