export type {
  CallControl,
  CollectOutcome,
  DialOutcome,
  HttpOutcome,
  HttpRequest,
  JoinOutcome,
  RecordingCommand,
  RecordingResult,
  ReferOutcome,
} from './call-control.ts'
export { DryAnswers } from './dry-answers.ts'
export { type DryRun, dryRun } from './dry-run.ts'
export { type FlowEnd, type FlowRunOptions, runFlow } from './engine.ts'
export type { Scope } from './expression.ts'
export { MAX_TEXT_LENGTH } from './expression.ts'
export { type Flow, type FlowError, flowErrorText } from './flow.ts'
export { parseFlow } from './flow-parser.ts'
export { type FlowGraph, graphOf, type OutlineNode } from './outline.ts'
export type { Sandbox } from './sandbox.ts'
export { readYaml } from './yaml-document.ts'
