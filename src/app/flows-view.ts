// The flows as the API shows them.

import { basename } from 'node:path'
import type { FlowsView } from '#control'
import {
  DryAnswers,
  dryRun,
  type FlowError,
  flowErrorText,
  graphOf,
  type OutlineNode,
  parseFlow,
  type Sandbox,
} from '#flow'
import type { GatewayConfig } from './config-schema.ts'
import type { FlowLibrary, LoadedFlow } from './flow-library.ts'

type Mistake = Omit<FlowError, 'file'>

/** Makes the view; dry runs know the recorders of the configuration. */
export function createFlowsView(config: GatewayConfig, library: FlowLibrary, sandbox: Sandbox): FlowsView {
  const summary = ({ file, flow, loadedAtMs, mistakes }: LoadedFlow) => ({
    name: basename(file),
    title: flow.name,
    file,
    routes: config.routes.filter((route) => route.flow === file).map(({ match }) => match),
    loadedAt: new Date(loadedAtMs).toISOString(),
    nodes: countOf(flow.outline),
    mistakes: mistakes.map(placed),
    warnings: flow.warnings.map(placed),
  })
  return {
    list: () => library.list().map(summary),
    get: (name) => {
      const loaded = library.list().find(({ file }) => basename(file) === name || file === name)
      if (loaded === undefined) return undefined
      return { ...summary(loaded), source: loaded.source, graph: copied(graphOf(loaded.flow.outline)) }
    },
    validate: (source) => {
      const parsed = parseFlow(source, '')
      if (!parsed.ok) return { isValid: false, mistakes: parsed.error.map(placed), warnings: [] }
      const { warnings, outline } = parsed.value
      return { isValid: true, mistakes: [], warnings: warnings.map(placed), graph: copied(graphOf(outline)) }
    },
    dryRun: async ({ source, input, profile, answers = '' }) => {
      const parsed = parseFlow(source, 'flow')
      if (!parsed.ok) return { problem: parsed.error.map(flowErrorText).join('\n') }
      const given = DryAnswers.parse(answers)
      if (!given.ok) return { problem: given.error }
      const facts = { ...dryInput, recorders: config.recording.recorders, ...input }
      const options = { input: facts, answers: given.value, sandbox, ...(profile === undefined ? {} : { profile }) }
      return copied(await dryRun(parsed.value, options))
    },
  }
}

/** What a call would tell of itself. */
export const dryInput = { callId: 'dry-run', from: 'sip:caller@example.com', to: 'sip:flow@example.com' }

function placed({ file: _file, ...mistake }: FlowError): Mistake {
  return mistake
}

function countOf(outline: readonly OutlineNode[]): number {
  return outline.reduce((sum, { branches }) => sum + 1 + countOf(branches.flatMap(({ nodes }) => nodes)), 0)
}

/** Writable, as the contract's types are. */
function copied<T>(value: T): Mutable<T> {
  return structuredClone(value) as Mutable<T>
}

type Mutable<T> = T extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Mutable<T[Key]> }
    : T
