#!/usr/bin/env node
// The command line: reads the configuration, opens the program, and closes it in good order when told to stop.

import { Command } from 'commander'
import { messageOf } from '#kernel'
import { loadConfig, printConfig } from './config.ts'
import { createLogger } from './logging.ts'
import { openProgram, type Program } from './program.ts'

const graceMs = 10_000
const defaultFile = 'config/example.yaml'

async function start(file: string): Promise<void> {
  const config = await loadConfig(file, process.env)
  const log = createLogger(config.log.level)
  const program = await openProgram(config, log)
  const stop = (signal: string): void => {
    log.info('stopping', { signal })
    program.close(graceMs).then(
      () => process.exit(0),
      (fault: unknown) => fail(fault),
    )
  }
  process.on('SIGINT', () => stop('SIGINT'))
  process.on('SIGTERM', () => stop('SIGTERM'))
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

function fail(fault: unknown): never {
  process.stderr.write(`${messageOf(fault)}\n`)
  process.exit(1)
}

const command = new Command('siprec-gateway').description('SIP call-recording gateway, SIPREC recorder and console')
command
  .command('start')
  .description('serve the roles that the configuration switches on')
  .option('-c, --config <file>', 'configuration file', defaultFile)
  .action(({ config }: { config: string }) => start(config))
command
  .command('print-config')
  .description('print the configuration with every default filled in, passwords masked')
  .option('-c, --config <file>', 'configuration file', defaultFile)
  .action(async ({ config }: { config: string }) => {
    process.stdout.write(printConfig(await loadConfig(config, process.env)))
  })
command.parseAsync().catch(fail)
