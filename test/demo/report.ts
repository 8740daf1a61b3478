// The table that the demo prints, and the verdict on each of its lines.

import type { ChannelReport, RecorderReport } from './analysis.ts'
import type { SceneReport } from './scene.ts'

/** One line of a table. */
export interface Line {
  readonly label: string
  /** One cell per recorder. */
  readonly cells: readonly string[]
  /** What was asked for; empty for information. */
  readonly goal: string
  readonly isMet: boolean
}

/** What is asked of a recording. */
const goals = { own: 0.95, other: 0.2, lagMs: 40, digits: 0.1, pauseDbfs: -60 } as const

/** Prints the table; returns how many lines are not as they should be. */
export function printReport(
  scene: SceneReport,
  recorders: readonly RecorderReport[],
  setUp: { readonly toAcceptanceMs: readonly number[] },
  print: (line: string) => void,
): number {
  const lines: Line[] = [
    info(
      'start to 200, ms',
      setUp.toAcceptanceMs.map((ms) => ms.toFixed(0)),
    ),
    info(
      'INVITE to first RTP packet, ms',
      recorders.map((recorder) => recorder.firstPacketMs.toFixed(0)),
    ),
    info(
      'length of the file, s',
      recorders.map((recorder) => (recorder.durationMs / 1000).toFixed(2)),
    ),
  ]
  for (const [index, who] of (['caller', 'agent'] as const).entries()) {
    const of = (pick: (channel: ChannelReport) => string): string[] =>
      recorders.map((recorder) => pick(recorder.channels[index]!))
    const all = (test: (channel: ChannelReport) => boolean): boolean =>
      recorders.every((recorder) => test(recorder.channels[index]!))
    lines.push(
      line(
        `${who}: packets at the recorder`,
        of((c) => `${c.packets}, ${c.lost} lost`),
        '> 200, 0 lost',
        all((c) => c.packets > 200 && c.lost === 0),
      ),
      line(
        `${who}: packets after the receipt`,
        of((c) => `${c.packetsInPause}`),
        '0',
        all((c) => c.packetsInPause === 0),
      ),
      line(
        `${who}: last packet is the receipt's`,
        of((c) => (c.isReceiptTrue ? 'yes' : 'no')),
        'yes',
        all((c) => c.isReceiptTrue),
      ),
      line(
        `${who}: like what was said`,
        of((c) => c.own.toFixed(3)),
        `>= ${goals.own}`,
        all((c) => c.own >= goals.own),
      ),
      line(
        `${who}: like what the other said`,
        of((c) => c.other.toFixed(3)),
        `<= ${goals.other}`,
        all((c) => c.other <= goals.other),
      ),
      line(
        `${who}: shifted by, ms`,
        of((c) => c.lagMs.toFixed(1)),
        `<= ${goals.lagMs}`,
        all((c) => Math.abs(c.lagMs) <= goals.lagMs),
      ),
      line(
        `${who}: level in the pause, dBFS`,
        of((c) => level(c.pauseDbfs)),
        `< ${goals.pauseDbfs}`,
        all((c) => c.pauseDbfs < goals.pauseDbfs),
      ),
    )
  }
  lines.push(
    line(
      'card digits said in the pause',
      recorders.map((r) => r.digits.toFixed(3)),
      `< ${goals.digits}`,
      recorders.every((r) => r.digits < goals.digits),
    ),
    line(
      'receipts given',
      [`${scene.receipts.length}`],
      `${2 * recorders.length}, all drained`,
      scene.receipts.length === 2 * recorders.length && scene.receipts.every((receipt) => receipt.drained),
    ),
  )
  printLines(
    lines,
    recorders.map((recorder) => recorder.name),
    print,
  )
  print('')
  for (const recorder of recorders) print(`${recorder.name}: ${recorder.audioFile}`)
  return lines.filter((each) => !each.isMet).length
}

/** Prints a table, one column of cells per name. */
export function printLines(lines: readonly Line[], names: readonly string[], print: (line: string) => void): void {
  const labelWidth = Math.max(...lines.map((each) => each.label.length))
  const cellWidth = Math.max(
    ...names.map((name) => name.length),
    ...lines.flatMap((each) => each.cells.map((cell) => cell.length)),
  )
  const goalWidth = Math.max(...lines.map((each) => each.goal.length), 'wanted'.length)
  const row = (label: string, cells: readonly string[], goal: string, verdict: string): string =>
    [
      label.padEnd(labelWidth),
      ...names.map((_, index) => (cells[index] ?? '').padStart(cellWidth)),
      goal.padStart(goalWidth),
      verdict,
    ]
      .join('   ')
      .trimEnd()
  print(row('', names, 'wanted', ''))
  print('-'.repeat(row('', names, '', 'ok').length + 8))
  for (const each of lines)
    print(row(each.label, each.cells, each.goal, each.goal === '' ? '' : each.isMet ? 'ok' : 'WRONG'))
}

function info(label: string, cells: readonly string[]): Line {
  return { label, cells, goal: '', isMet: true }
}

/** A line with its verdict. */
export function line(label: string, cells: readonly string[], goal: string, isMet: boolean): Line {
  return { label, cells, goal, isMet }
}

function level(dbfs: number): string {
  return dbfs === Number.NEGATIVE_INFINITY ? 'silence' : dbfs.toFixed(1)
}
