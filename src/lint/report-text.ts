// A lint report as text for people and as JSON for machines.

import type { Finding, Severity } from './finding.ts'
import type { LintReport } from './lint.ts'

/** Lines for people: `file:line:column: severity code: message`, the RFC section, and what to do. */
export function reportText(name: string, { kind, findings }: LintReport): string {
  if (kind === 'unreadable') return `${name}: ${findings[0]?.message ?? 'cannot be read'}\n`
  const blocks = findings.map((finding) => {
    const { severity, code, message, section, advice } = finding
    return `${name}${placeText(finding)}: ${severity} ${code}: ${message}\n    ${advice} (${section})\n`
  })
  const totals = (['error', 'warning', 'note'] as const).map(
    (severity) => `${countOf(findings, severity)} ${severity}s`,
  )
  return `${blocks.join('')}${name}: ${kind}, ${totals.join(', ')}\n`
}

/** One JSON object: file, kind, totals, findings. */
export function reportJson(name: string, { kind, findings }: LintReport): string {
  const totals = {
    errors: countOf(findings, 'error'),
    warnings: countOf(findings, 'warning'),
    notes: countOf(findings, 'note'),
  }
  return `${JSON.stringify({ file: name, kind, ...totals, findings }, null, 2)}\n`
}

/** Exit code: 0 without errors, 1 with, 2 for a file that cannot be checked. */
export function exitCodeOf({ kind, findings }: LintReport): 0 | 1 | 2 {
  if (kind === 'unreadable') return 2
  return countOf(findings, 'error') > 0 ? 1 : 0
}

function countOf(findings: readonly Finding[], severity: Severity): number {
  return findings.filter((finding) => finding.severity === severity).length
}

function placeText({ line, column }: Finding): string {
  if (line === undefined) return ''
  return column === undefined ? `:${line}` : `:${line}:${column}`
}
