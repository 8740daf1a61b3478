// `start` and `print-config`: the program as configured.

import type { Command } from 'commander'
import { loadConfig, printConfig } from '../config.ts'
import { createLogger } from '../logging.ts'
import { openProgram, type Program } from '../program.ts'
import { fail } from './outcome.ts'

const graceMs = 10_000
const defaultFile = 'config/example.yaml'

/** Adds the commands that run the program or show its configuration. */
export function addStartCommands(program: Command): void {
  program
    .command('start')
    .description('serve the roles that the configuration switches on')
    .option('-c, --config <file>', 'configuration file', defaultFile)
    .action(({ config }: { config: string }) => start(config))
  program
    .command('print-config')
    .description('print the configuration with every default filled in, passwords masked')
    .option('-c, --config <file>', 'configuration file', defaultFile)
    .action(async ({ config }: { config: string }) => {
      process.stdout.write(printConfig(await loadConfig(config, process.env)))
    })
}

async function start(file: string): Promise<void> {
  const config = await loadConfig(file, process.env)
  const log = createLogger(config.log.level)
  const program = await openProgram(config, log)
  const stop = (signal: string): void => {
    log.info('stopping', { signal })
    const closed = program.close(graceMs).then(() => log.flushed())
    closed.then(
      () => process.exit(0),
      (fault: unknown) => fail(fault),
    )
  }
  process.on('SIGINT', () => stop('SIGINT'))
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('SIGHUP', () => {
    void program.renewTls()
    void program.reloadFlows()
  })
  log.info('ready', summary(program))
}

function summary(program: Program): Record<string, unknown> {
  const { gateway, recorder, http } = program
  return {
    ...(gateway === undefined ? {} : { gateway: gateway.listeners }),
    ...(recorder === undefined ? {} : { recorder: recorder.listeners }),
    ...(http === undefined ? {} : { http: http.address }),
  }
}
