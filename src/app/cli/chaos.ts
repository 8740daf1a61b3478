// `chaos`: a recorder that misbehaves by script, for trying out recording clients.

import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { parse } from 'yaml'
import { type ChaosScript, presets, readChaosScript } from '#chaos-recorder'
import { AppError, messageOf } from '#kernel'
import { openChaos } from '../chaos.ts'
import { createLogger } from '../logging.ts'
import { endpointOf, portRangeOf } from './addresses.ts'
import { fail } from './outcome.ts'

interface ChaosArguments {
  readonly listen: string
  readonly script: string
  readonly mediaPorts: string
  readonly list: boolean
}

/** Adds the command. */
export function addChaosCommand(program: Command): void {
  program
    .command('chaos')
    .description('serve a recorder (SRS) that misbehaves by script; it records nothing and counts what it hears')
    .option('-l, --listen <address:port>', 'IP address and port for SIP over UDP and TCP', '127.0.0.1:5090')
    .option('-s, --script <file|name>', 'script (YAML or JSON), or the name of a preset', 'polite')
    .option('-m, --media-ports <first-last>', 'range of RTP ports', '43000-43999')
    .option('--list', 'list the presets and end', false)
    .addHelpText(
      'after',
      '\nWhat each session asked and heard is written as one line of JSON when told to stop (Ctrl-C).',
    )
    .action(async (given: ChaosArguments) => {
      if (given.list) process.stdout.write(presetList())
      else await serve(given)
    })
}

/** Names and meanings of the presets, a line each. */
export function presetList(): string {
  const widest = Math.max(...Object.keys(presets).map((name) => name.length))
  return Object.entries(presets)
    .map(([name, { about }]) => `${name.padEnd(widest)}  ${about}\n`)
    .join('')
}

/** The preset of that name, else the script in that file; rejects with AppError `app.script-invalid`. */
export async function loadChaosScript(nameOrFile: string): Promise<ChaosScript> {
  const preset = Object.hasOwn(presets, nameOrFile) ? presets[nameOrFile] : undefined
  if (preset !== undefined) return preset
  let value: unknown
  try {
    value = parse(await readFile(nameOrFile, 'utf8'))
  } catch (fault) {
    throw invalid(`${nameOrFile} is no preset (see --list) and cannot be read: ${messageOf(fault)}`)
  }
  const script = readChaosScript(value)
  if (!script.ok) throw invalid(`${nameOrFile}: ${script.error}`)
  return script.value
}

async function serve({ listen, script, mediaPorts }: ChaosArguments): Promise<void> {
  const log = createLogger('info')
  const chaos = await openChaos({
    ...endpointOf(listen),
    mediaPorts: portRangeOf(mediaPorts),
    script: await loadChaosScript(script),
    log,
  })
  const stop = (): void => {
    for (const session of chaos.recorder.sessions) process.stdout.write(`${JSON.stringify(session)}\n`)
    chaos.close().then(() => process.exit(0), fail)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  log.info('ready', { listeners: chaos.listeners })
}

function invalid(message: string): AppError {
  return new AppError('app.script-invalid', message, { result: 'client', reason: 'script-invalid' })
}
