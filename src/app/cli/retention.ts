// `retention`: deletes what is due by the rules, or says what it would delete.

import type { Command } from 'commander'
import type { DueRecording, RetentionOutcome, RetentionPlan } from '#store'
import { recorderOf, withLibrary } from './catalogue.ts'

interface RetentionArguments {
  readonly config: string
  readonly dryRun: boolean
}

/** Adds the command. */
export function addRetentionCommand(program: Command): void {
  program
    .command('retention')
    .description('delete the recordings that are due by the rules of recorder.store.retention')
    .requiredOption('-c, --config <file>', 'configuration file')
    .option('--dry-run', 'delete nothing, and list what would be deleted', false)
    .action(async ({ config, dryRun }: RetentionArguments) => {
      await withLibrary(await recorderOf(config), async (room) => {
        await room.connect()
        const plan = await room.retentionPlan()
        if (dryRun) process.stdout.write(planText(plan))
        else process.stdout.write(outcomeText(await room.applyRetention(plan, 'command line')))
      })
    })
}

/** What would be deleted: the sum, then a line for each recording. */
export function planText({ due, held }: RetentionPlan): string {
  const bytes = due.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const head = `would delete ${due.length} recordings (${bytes} bytes), ${held.length} on hold`
  const lines = [...due.map((one) => lineOf('delete', one)), ...held.map((one) => lineOf('hold', one))]
  return `${[head, ...lines].join('\n')}\n`
}

function outcomeText({ deleted, held, failed }: RetentionOutcome): string {
  return `deleted ${deleted} recordings, ${held} on hold, ${failed} failed\n`
}

function lineOf(what: string, { recordingId, startedAtMs, durationMs, sizeBytes, rule }: DueRecording): string {
  const began = new Date(startedAtMs).toISOString()
  return `${what.padEnd(6)}  ${recordingId}  ${began}  ${Math.round(durationMs / 1000)} s  ${sizeBytes} bytes  ${rule}`
}
