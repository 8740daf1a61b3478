// The torture messages of RFC 4475, each given to a whole SIP core: what it answers, and that it stays whole.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { ManualClock } from '#kernel'
import { attachCore } from '../harness/core-pair.ts'
import { SipNetwork } from '../harness/sip-network.ts'

const FOLDER = new URL('../../../test/conformance/fixtures/rfc4475/', import.meta.url)

/** First answer to each message; 100: the INVITE reached its user, 202: another request did, 481: it names a dialog (wsinv). */
const ANSWERS: Readonly<Record<string, string>> = {
  100: 'baddate esc01 inv2543 longreq sdp01',
  200: 'lwsdisp semiuri transports zeromf',
  202: 'cparam01 cparam02 dblreq escnull mpart01 regaut01 regescrt unksm2',
  400: 'badaspec badbranch baddn badinv01 clerr escruri insuf lwsruri lwsstart ltgtruri mcl01 mismatch01 multi01 ncl quotbal regbadct scalar02 trws',
  405: 'esc02 intmeth',
  415: 'invut',
  416: 'novelsc unkscm',
  420: 'bext01',
  481: 'wsinv',
  501: 'mismatch02',
  505: 'badvers',
  nothing: 'bcast bigcode noreason scalarlg unreason',
}

function expected(name: string): string | undefined {
  return Object.keys(ANSWERS).find((status) => ANSWERS[status]?.split(' ').includes(name))
}

test('RFC 4475: every torture message gets the answer that its section asks for', async (t) => {
  const names = readdirSync(FOLDER)
    .filter((file) => file.endsWith('.dat'))
    .map((file) => file.replace('.dat', ''))
  for (const name of names) {
    await t.test(name, async () => {
      const clock = new ManualClock()
      const network = new SipNetwork(clock, 1)
      const { core, log } = attachCore(
        network,
        clock,
        '10.0.0.2',
        { onInvite: (invite) => invite.reject(486), onRequest: (incoming) => incoming.respond(202) },
        { allow: ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'MESSAGE', 'REGISTER'] },
      )
      const bytes = new Uint8Array(readFileSync(new URL(`${name}.dat`, FOLDER)))
      const remote = { host: '10.0.0.9', port: 5060 }
      core.receive(bytes, { transport: 'udp', local: { host: '10.0.0.2', port: 5060 }, remote })
      const first = network.passages[0]
      const status = first === undefined ? 'nothing' : first.text.slice(8, 12).trim()
      assert.equal(status, expected(name))
      assert.deepEqual(
        log.messages().filter((message) => message.startsWith('fault')),
        [],
      )
      await clock.advanceAsync(70_000)
      assert.deepEqual(core.census(), { dialogs: 0, transactions: 0, timers: 0 })
    })
  }
})
