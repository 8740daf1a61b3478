export type { Finding, Rule } from './finding.ts'
export { lint, lintMessage, lintRules } from './lint.ts'
export { exitCodeOf, reportJson, reportText } from './report-text.ts'
