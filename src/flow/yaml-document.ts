// YAML text to plain values, keeping the line and column of every place.

import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, visit } from 'yaml'

import { messageOf } from '#kernel'

/** A position in the file, counted from 1. */
interface Position {
  readonly line: number
  readonly column: number
}

/** A problem of the YAML itself. */
interface YamlProblem extends Position {
  readonly expected: string
}

/** A parsed file: its values, and where they stand. */
export interface YamlDocument {
  readonly value: unknown
  readonly problems: readonly YamlProblem[]
  /** Position of a key (`isKey`) or value; of the nearest parent where the place does not exist. */
  position(path: readonly (string | number)[], isKey?: boolean): Position
}

/** Largest flow file, characters. */
const MAX_LENGTH = 262_144

/** Reads one YAML document; aliases and tags are refused, since nothing in a flow needs them. */
export function readYaml(text: string): YamlDocument {
  if (text.length > MAX_LENGTH) return unreadable(`expected at most ${MAX_LENGTH} characters`)
  const lines = new LineCounter()
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2', stringKeys: true })
    const problems = problemsOf(document, lines)
    return {
      problems,
      value: problems.length > 0 ? undefined : document.toJS({ maxAliasCount: 0 }),
      position: (path, isKey = false) => at(lines, offsetOf(document, path, isKey)),
    }
  } catch (thrown) {
    return unreadable(`expected readable YAML: ${messageOf(thrown).slice(0, 200)}`)
  }
}

function unreadable(expected: string): YamlDocument {
  const start = { line: 1, column: 1 }
  return { value: undefined, problems: [{ ...start, expected }], position: () => start }
}

function problemsOf(document: Document.Parsed, lines: LineCounter): YamlProblem[] {
  const problems = [...document.errors, ...document.warnings].map((error) => ({
    ...at(lines, error.pos[0]),
    expected: `expected valid YAML: ${error.message}`,
  }))
  visit(document, {
    Alias: (_key, alias) => void problems.push({ ...at(lines, start(alias)), expected: 'expected no YAML aliases' }),
  })
  return problems
}

function at(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}

function start(node: unknown): number {
  return (node as Node | null)?.range?.[0] ?? 0
}

function offsetOf(document: Document.Parsed, path: readonly (string | number)[], isKey: boolean): number {
  let node: unknown = document.contents
  let offset = start(node)
  for (const [depth, name] of path.entries()) {
    const pair = isMap(node) ? pairOf(node.items, name) : undefined
    const isLast = depth === path.length - 1
    const next = pair?.value ?? (isSeq(node) ? node.items[Number(name)] : undefined)
    if (pair !== undefined && (isKey || next === undefined) && isLast) return start(pair.key)
    if (next === undefined || next === null) break
    offset = start(next)
    node = next
  }
  return offset
}

function pairOf(items: readonly Pair[], name: string | number): Pair | undefined {
  return items.find((pair) => isScalar(pair.key) && pair.key.value === name)
}
