// YAML text of a flow file to a flow ready to run. Every mistake is reported at once, each with its place.

import { Default } from 'typebox/value'

import { err, ok, type Result } from '#kernel'
import { type Flow, type FlowDocument, type FlowError, flowDocument } from './flow.ts'
import { compileValue } from './json-value.ts'
import type { FlowRun, NodeLoader, NodeType, Place, Step } from './node-type.ts'
import { nodeTypes } from './nodes/registry.ts'
import type { OutlineBranch, OutlineNode } from './outline.ts'
import { violations } from './schema-check.ts'
import { type Rendering, Template } from './template.ts'
import { readYaml, type YamlDocument } from './yaml-document.ts'

const MAX_NODES = 1_000
const MAX_NESTING = 16

type Path = readonly (string | number)[]

/** Parses and checks a flow; `file` stands in the errors as given. */
export function parseFlow(text: string, file: string): Result<Flow, FlowError[]> {
  return new FlowParser(readYaml(text), file).parse()
}

class FlowParser {
  readonly #yaml: YamlDocument
  readonly #file: string
  readonly #errors: FlowError[] = []
  readonly #warnings: FlowError[] = []
  #nodeCount = 0
  #needsSandbox = false

  constructor(yaml: YamlDocument, file: string) {
    this.#yaml = yaml
    this.#file = file
  }

  parse(): Result<Flow, FlowError[]> {
    if (this.#yaml.problems.length > 0) {
      return err(this.#yaml.problems.map((problem) => ({ file: this.#file, path: '', ...problem })))
    }
    const document = Default(flowDocument, this.#yaml.value)
    if (!this.#check([], flowDocument, document)) return err(this.#errors)
    const { name, atEnd, nodes } = document as FlowDocument
    const outline: OutlineNode[] = []
    const run = this.#nodes(['nodes'], nodes, outline)
    return this.#errors.length > 0
      ? err(this.#errors)
      : ok({ name, atEnd, run, outline, warnings: this.#warnings, needsSandbox: this.#needsSandbox })
  }

  #check(path: Path, schema: NodeType['schema'], value: unknown): boolean {
    const found = violations(schema, value)
    for (const violation of found) this.#fail([...path, ...violation.path], violation.expected, violation.isKey)
    return found.length === 0
  }

  #nodes(path: Path, list: readonly unknown[], outline: OutlineNode[]): Step {
    if (path.length > 2 * MAX_NESTING) this.#fail(path, `expected at most ${MAX_NESTING} levels of nodes`)
    else return inOrder(list.map((node, index) => this.#node([...path, index], node, outline)))
    return NOTHING
  }

  #node(path: Path, value: unknown, outline: OutlineNode[]): Step {
    if (++this.#nodeCount > MAX_NODES) {
      if (this.#nodeCount === MAX_NODES + 1) this.#fail(path, `expected at most ${MAX_NODES} nodes`)
      return NOTHING
    }
    const type = typeOf(value)
    const definition = nodeTypes.get(type ?? '')
    if (definition === undefined) {
      this.#fail(
        type === undefined ? path : [...path, 'type'],
        `expected a node with type ${[...nodeTypes.keys()].join(', ')}`,
      )
      return NOTHING
    }
    const parameters = Default(definition.schema, value)
    if (!this.#check(path, definition.schema, parameters)) return NOTHING
    const label = `${pathText(path)} ${definition.type}`
    const branches: OutlineBranch[] = []
    const within = new Set(['type'])
    const step = definition.load(parameters, this.#loader(path, label, branches, within))
    const fields = Object.entries(parameters as object).filter(([key]) => !within.has(key))
    const { line } = this.#yaml.position(path)
    outline.push({ id: pathText(path), type: definition.type, line, fields: Object.fromEntries(fields), branches })
    return async (run) => {
      run.enter(label)
      return await step(run)
    }
  }

  /** `within` gets the fields that hold nodes, which stand in `branches`. */
  #loader(path: Path, label: string, branches: OutlineBranch[], within: Set<string>): NodeLoader {
    const checked = (key: Place, template: Template): Template => {
      if (template.needsSandbox) this.#needsSandbox = true
      for (const failure of template.failures()) {
        this.#warnings.push(this.#errorAt([...path, ...namesOf(key)], `expression renders empty: ${failure.reason}`))
      }
      return template
    }
    const rendering = ({ scope, sandbox, log }: FlowRun): Rendering => ({
      scope,
      sandbox,
      onFailure: ({ expression, reason }) => log.warn('flow expression failed', { node: label, expression, reason }),
    })
    return {
      label,
      text: (key, source) => {
        const template = checked(key, Template.of(source))
        return (run) => template.render(rendering(run))
      },
      value: (key, source) => {
        const value = compileValue(source, (template) => checked(key, template))
        return (run) => value(rendering(run))
      },
      condition: (key, source) => {
        const template = checked(key, Template.ofExpression(source))
        return async (run) => Boolean(await template.value(rendering(run)))
      },
      nodes: (place, list, branch) => {
        const names = namesOf(place)
        const nodes: OutlineNode[] = []
        within.add(String(names[0]))
        branches.push({ label: branch ?? names.join('.'), nodes })
        return this.#nodes([...path, ...names], list, nodes)
      },
    }
  }

  #fail(path: Path, expected: string, isKey = false): void {
    this.#errors.push(this.#errorAt(path, expected, isKey))
  }

  #errorAt(path: Path, expected: string, isKey = false): FlowError {
    return { file: this.#file, ...this.#yaml.position(path, isKey), path: pathText(path), expected }
  }
}

const NOTHING: Step = async () => 'next'

function inOrder(steps: readonly Step[]): Step {
  return async (run) => {
    for (const step of steps) {
      if (run.call.ended) return 'call-ended'
      const end = await step(run)
      if (end !== 'next') return end
    }
    return 'next'
  }
}

function namesOf(place: Place): Path {
  return typeof place === 'string' ? [place] : place
}

function typeOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const type: unknown = Object.getOwnPropertyDescriptor(value, 'type')?.value
  return typeof type === 'string' ? type : undefined
}

function pathText(path: Path): string {
  return path.map((name, i) => (typeof name === 'number' ? `[${name}]` : i === 0 ? name : `.${name}`)).join('')
}
