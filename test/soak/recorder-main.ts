// `npm run soak:recorder -- 1000`: so many recording sessions at a recorder process; prints what it held, and fails when that grows.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadText } from '../bench/machine.ts'
import { MortalRecorder } from '../harness/mortal-recorder.ts'
import { soakRecorder } from './recorder-soak.ts'

const sessions = Number(process.argv[2] ?? 1000)
const folder = await mkdtemp(join(tmpdir(), 'recorder-soak-'))
const recorder = new MortalRecorder(folder)
const beganMs = performance.now()
try {
  await recorder.start()
  const { holdings, published, refused } = await soakRecorder(recorder, { sessions, atATime: 20, rounds: 5 })
  for (const { sessions: ended, descriptors, sockets, threads, rssMib } of holdings) {
    console.log(
      `${ended} sessions: ${descriptors} descriptors, ${sockets} sockets, ${threads} threads, RSS ${rssMib} MiB`,
    )
  }
  const seconds = Math.round((performance.now() - beganMs) / 1000)
  console.log(`${published} published, ${refused} refused, ${seconds} s, load average ${loadText()}`)
  const [first, last] = [holdings[0]!, holdings.at(-1)!]
  const isFlat = last.sockets <= first.sockets && last.threads <= first.threads && last.descriptors <= first.descriptors
  process.exitCode = isFlat && refused === 0 && published >= sessions ? 0 : 1
} finally {
  await recorder.stop()
  await rm(folder, { recursive: true, force: true })
}
