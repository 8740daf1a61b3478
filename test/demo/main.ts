// The demo: a real call with speech, recorded by two recorders at once; start, pause, resume, stop; results printed and kept.

import { mkdir, readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { messageOf, silentLogger } from '#kernel'
import { cryptoIds, systemClock } from '#net'
import { examine, type RecorderReport } from './analysis.ts'
import { anySipPorts, type RunningProgram, startProgram } from './processes.ts'
import { printLines, printReport } from './report.ts'
import { openPhone, playScene, readSpeech } from './scene.ts'
import { playSurvival, startMortal, survivalLines, survivalRoute, writeSurvivalFlow } from './survival.ts'

const recorderNames = ['recorder A', 'recorder B'] as const
const around = { clock: systemClock, ids: cryptoIds, log: silentLogger }
const print = (line: string): void => void process.stdout.write(`${line}\n`)

async function demo(): Promise<number> {
  const folder = join('demo-output', new Date().toISOString().replaceAll(/[:.]/g, '-'))
  await mkdir(folder, { recursive: true })
  const programs: RunningProgram[] = []
  const agent = await openPhone('agent', 'tcp', around)
  const caller = await openPhone('caller', 'udp', around)
  try {
    print('A call is placed: caller -> gateway (flows/demo.yaml) -> agent, copied to two recorders.')
    const recorders = await Promise.all(
      recorderNames.map((name, index) =>
        startProgram(folder, name.replace(' ', '-'), {
          http: { port: 0 },
          recorder: {
            sip: anySipPorts,
            media: { portMin: 10_000 + 2_000 * index, portMax: 11_999 + 2_000 * index },
            store: { folder: join(folder, name.replace(' ', '-')) },
          },
        }),
      ),
    )
    programs.push(...recorders)
    const uris = recorders.map((recorder) => `sip:srs@127.0.0.1:${recorder.sipPort('tcp')};transport=tcp`)
    const mortal = await startMortal(folder, 'recorder-C')
    programs.push(mortal)
    const mortalUri = `sip:srs@127.0.0.1:${mortal.sipPort('tcp')};transport=tcp`
    const survivalFlow = await writeSurvivalFlow(folder)
    const gateway = await startProgram(folder, 'gateway', {
      http: { port: 0 },
      gateway: {
        sip: anySipPorts,
        routes: [
          { match: 'demo', flow: 'flows/demo.yaml', input: { callee: agent.uri } },
          { match: survivalRoute, flow: survivalFlow, input: { callee: agent.uri, recorder: mortalUri } },
        ],
        destinations: { dial: ['127.0.0.1'], record: ['127.0.0.1'] },
        recording: { recorders: uris },
      },
    })
    programs.push(gateway)
    const acceptedAtMs = new Map<string, number>()
    let startedAtMs = Number.NaN
    gateway.onLine((line) => {
      if (line.message === 'startCallRecording request for a call' && Number.isNaN(startedAtMs))
        startedAtMs = Date.parse(String(line['time']))
      if (
        line.message === 'recording event' &&
        line['event'] === 'recorder.accepted' &&
        acceptedAtMs.size < recorderNames.length
      ) {
        acceptedAtMs.set(String(line['recorder']), Date.parse(String(line['time'])))
      }
    })
    const speech = await readSpeech()
    const scene = await playScene(gateway, agent, caller, speech, around)
    print(
      `A second call is recorded; its recorder, process ${mortal.pid}, is killed (kill -9) while both speak, and started again.`,
    )
    const survival = await playSurvival(folder, mortal, gateway, { agent, caller }, speech, systemClock, (second) => {
      programs.push(second)
    })
    for (const program of [...programs].reverse()) await program.stop()
    const reports: RecorderReport[] = []
    for (const [index, name] of recorderNames.entries()) {
      const published = await publishedFolder(join(folder, name.replace(' ', '-')))
      reports.push(
        await examine(
          name,
          published,
          scene,
          scene.receipts.filter((receipt) => receipt.recorder === uris[index]),
        ),
      )
    }
    const toAcceptanceMs = uris.map((uri) => (acceptedAtMs.get(uri) ?? Number.NaN) - startedAtMs)
    print('')
    const wrong = printReport(scene, reports, { toAcceptanceMs }, print)
    print('')
    const kept = survivalLines(survival)
    printLines(kept, ['recorder C'], print)
    print('')
    print(`recorder C: ${survival.audioFile}`)
    print(`logs, configurations and metadata: ${relative('.', folder)}`)
    return wrong + kept.filter(({ isMet }) => !isMet).length
  } finally {
    await Promise.allSettled([caller.close(), agent.close()])
    await Promise.allSettled(programs.map((program) => program.stop()))
  }
}

/** The one recording that a recorder published. */
async function publishedFolder(root: string): Promise<string> {
  const found = (await readdir(root, { recursive: true })).filter((name) => name.endsWith('manifest.json'))
  if (found.length !== 1) throw new Error(`${root} holds ${found.length} recordings instead of one`)
  return join(root, found[0]!, '..')
}

demo().then(
  (wrong) => {
    print(wrong === 0 ? 'Everything is as it should be.' : `${wrong} lines are wrong.`)
    process.exitCode = wrong === 0 ? 0 : 1
  },
  (fault: unknown) => {
    process.stderr.write(`the demo failed: ${messageOf(fault)}\n`)
    process.exitCode = 1
  },
)
