// Callers of SIPp, written from the RFCs, that want more of a call than INVITE and BYE: transfer, 100rel, a session timer.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openTestProgram } from '../harness/open-program.ts'
import { type Sipp, startSipp } from '../harness/sipp.ts'
import { untilIdle } from '../harness/talk.ts'
import { requireTools } from '../harness/tools.ts'

requireTools('sipp')

const HOST = '127.0.0.1'

for (const transport of ['udp', 'tcp'] as const) {
  for (const [name, scenario, callees] of [
    ['SIP-16: a caller that requires 100rel gets a reliable 180', 'call-prack', 1],
    ['SIP-21: a caller gets 422, then the timer that it asks for', 'call-timer', 1],
    ['SIP-22: a caller that refers gets 202, NOTIFYs and its BYE', 'call-refer', 2],
  ] as const) {
    test(`${name}, over ${transport}`, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'sipp-'))
      t.after(() => rm(folder, { recursive: true, force: true }))
      const waiting: Sipp[] = []
      for (let count = 0; count < callees; count += 1) {
        waiting.push(await startSipp({ scenario: 'call-uas', transport: 'udp', folder, args: ['-rtp_echo'] }))
      }
      t.after(() => {
        for (const callee of waiting) callee.stop()
      })
      const [uri = '', target = uri] = waiting.map(({ port }) => `sip:callee@${HOST}:${port};transport=udp`)
      const opened = await openTestProgram({ gateway: { routes: [{ match: 'callee', callee: uri }] } })
      t.after(() => opened.close())
      const remote = { user: 'callee', port: opened.port('gateway', transport) }
      const args = ['-d', '500', '-key', 'target', target]
      const calling = await startSipp({ scenario, transport, folder, remote, args })
      t.after(() => calling.stop())
      await calling.succeeded()
      // After a transfer two parties are left in the call; a gateway that stops says BYE to both.
      if (callees === 1) await untilIdle(opened)
      else await opened.close()
      await Promise.all(waiting.map((callee) => callee.succeeded()))
    })
  }
}
