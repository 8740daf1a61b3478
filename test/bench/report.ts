// What the benchmarks print: facts, tables and notes, as text that is Markdown at the same time.

/** One table with what it means. */
export interface Section {
  readonly title: string
  /** How the figures came about, a sentence each. */
  readonly notes: readonly string[]
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** A section as Markdown, columns aligned. */
export function sectionText(section: Section): string {
  const { title, notes, columns, rows } = section
  const widths = columns.map((column, index) =>
    Math.max(3, column.length, ...rows.map((row) => row[index]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, index) => (index === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[index]!))).join(' | ')} |`
  const rule = `|${widths.map((width, index) => (index === 0 ? `${'-'.repeat(width + 2)}` : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [`## ${title}`, '', line(columns), rule, ...rows.map(line), '', ...notes.map((note) => `- ${note}`), ''].join(
    '\n',
  )
}

/** The middle value; the upper one of two. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** The value that `part` of the values do not exceed; NaN when there are none. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN
}

/** A number with so many decimals, thousands apart. */
export function figure(value: number, decimals = 0): string {
  return Number.isNaN(value)
    ? '-'
    : value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
}

/** A ratio, e.g. `1.08x`; `-` where one of the two was not established. */
export function ratioText(value: number): string {
  return Number.isFinite(value) && value > 0 ? `${figure(value, 2)}x` : '-'
}

/** A part of one in percent. */
export function percentText(value: number): string {
  return `${figure(value * 100, value > 0 && value < 0.1 ? 3 : 0)} %`
}
