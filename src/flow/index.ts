export type {
  CallControl,
  CollectOutcome,
  DialOutcome,
  JoinOutcome,
  RecordingCommand,
  RecordingResult,
} from './call-control.ts'
export { type FlowEnd, type FlowRunOptions, runFlow } from './engine.ts'
export { type Flow, type FlowError, flowErrorText } from './flow.ts'
export { parseFlow } from './flow-parser.ts'
export { readYaml } from './yaml-document.ts'
