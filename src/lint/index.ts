export { lint } from './lint.ts'
export { exitCodeOf, reportJson, reportText } from './report-text.ts'
