// `npm run kill -- 200`: kills a recorder under load so many times and says what that cost; fails on any fault.
//
//   --sessions N  sessions at a time, 20 unless told
//   --seed N      seed of the moments
//   --flush N     recorder.store.flushMs
//   --encrypted   with encryption at rest
//   --srtp        SRTP sessions

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { seededIds } from '#kernel'
import { Vault } from '#store'
import { loadText } from '../bench/machine.ts'
import { figure } from '../bench/report.ts'
import { MortalRecorder } from '../harness/mortal-recorder.ts'
import { killFigures, MOST_LOST_MS } from './kill-figures.ts'
import { runKills } from './kill-run.ts'

const STEPS = 2 ** 32

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sessions: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    flush: { type: 'string', default: '100' },
    encrypted: { type: 'boolean', default: false },
    srtp: { type: 'boolean', default: false },
  },
})
const ids = seededIds(Number(values.seed))
const folder = await mkdtemp(join(tmpdir(), 'kill-'))
const keyFile = join(folder, 'store.keys')
const settings = { flushMs: Number(values.flush), ...(values.encrypted && { encryption: { keyFile } }) }
const recorder = new MortalRecorder(folder, settings, { ...(values.srtp && { srtp: { keysWithoutTls: true } }) })
const beganMs = performance.now()
let hasFailed = true
try {
  await recorder.start()
  const result = await runKills(recorder, {
    kills: Number(positionals[0] ?? 200),
    sessions: Number(values.sessions),
    random: () => ids.integer(STEPS) / STEPS,
    isSecured: values.srtp,
    ...(values.encrypted && { files: new Vault({ root: recorder.store, keyFile }) }),
    onKill: (kill) => console.error(`${kill} kills`),
  })
  const { before, away, again, isKept } = killFigures(result)
  hasFailed = !isKept
  console.log(
    [
      `${figure(result.kills)} kills in ${figure((performance.now() - beganMs) / 1000)} s, seed ${values.seed}, flush each ${values.flush} ms, ${values.encrypted ? 'encrypted, ' : ''}${values.srtp ? 'SRTP, ' : ''}load average ${loadText()}`,
      `${figure(result.sessions)} recording sessions accepted, ${figure(result.ended)} of them ended by the recorder, ${figure(result.packetsSent)} packets sent`,
      `holes, one for each kill and stream: ${figure(result.losses.length)}`,
      `lost of what was sent before a kill, ms: median ${figure(before.p50)}, p99 ${figure(before.p99)}, most ${figure(before.most)} (at most ${MOST_LOST_MS})`,
      `sent while no recorder was there, ms: median ${figure(away.p50)}, p99 ${figure(away.p99)}`,
      `from its being ready to packets that are kept, ms: median ${figure(again.p50)}, p99 ${figure(again.p99)}, most ${figure(again.most)}`,
      ...(result.faults.length === 0
        ? ['no recording, no file and no other packet is missing; ledgers and recording.wav agree with the packets']
        : result.faults),
    ].join('\n'),
  )
} finally {
  await recorder.stop()
  await rm(folder, { recursive: true, force: true })
}
process.exitCode = hasFailed ? 1 : 0
