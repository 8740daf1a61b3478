// CognigyScript expressions: acorn parses, paths and operators are compiled to closures. No calls, no assignments, own data
// properties only, so a closure can neither reach the program nor run long. What is more than that is left to the sandbox.

import { type Expression, type Identifier, type MemberExpression, parseExpressionAt, type Super } from 'acorn'

import { err, messageOf, ok, type Result } from '#kernel'

/** What an expression can see. */
export interface Scope {
  readonly input: Readonly<Record<string, unknown>>
  readonly context: Record<string, unknown>
  readonly profile: Readonly<Record<string, unknown>>
}

/** Why an expression could not be parsed or evaluated; `reason` is for people. */
export interface ExpressionError {
  readonly reason: string
}

/** An expression parsed once. */
export interface CompiledExpression {
  /** Offset just behind the expression in the text it was parsed from. */
  readonly end: number
  /** Never throws; absent: only the sandbox can evaluate it. */
  readonly evaluate?: (scope: Scope) => Evaluated
}

/** A value, an error, or `beyond`: these operands need the sandbox. */
export type Evaluated = Result<unknown, ExpressionError> | 'beyond'

/** Longest source of one expression, characters. */
export const MAX_EXPRESSION_LENGTH = 2_000
/** Longest text that an expression or a template may yield, characters. */
export const MAX_TEXT_LENGTH = 65_536

const MAX_DEPTH = 64

type Evaluate = (scope: Scope) => unknown

/** Carries a failure out of the recursion; never leaves this file. */
class Refusal extends Error {}

/** Says that the sandbox can do what the closures cannot; never leaves this file. */
class Beyond extends Error {}

/** Names of the language, and of the libraries of CognigyScript (lodash, moment), that an expression may use in the sandbox. */
const LANGUAGE_NAMES = new Set(
  (
    'Array BigInt Boolean Date Error Infinity Intl JSON Map Math NaN Number Object Promise RangeError RegExp Set String ' +
    'Symbol TypeError decodeURIComponent encodeURIComponent decodeURI encodeURI isFinite isNaN parseFloat parseInt _ moment'
  ).split(' '),
)

/** Parses the expression that starts at `offset` of `text`; what follows it is left to the caller. */
export function compileExpression(text: string, offset = 0): Result<CompiledExpression, ExpressionError> {
  const source = text.slice(offset, offset + MAX_EXPRESSION_LENGTH)
  try {
    const tree = parseExpressionAt(source, 0, { ecmaVersion: 2023, sourceType: 'module', preserveParens: true })
    const evaluate = closureOf(tree)
    const end = offset + tree.end
    return ok(evaluate === undefined ? { end } : { end, evaluate: (scope) => attempt(() => evaluate(scope)) })
  } catch (thrown) {
    return err({ reason: reasonOf(thrown) })
  }
}

function closureOf(tree: Expression): Evaluate | undefined {
  try {
    return compile(tree, 0)
  } catch (thrown) {
    if (thrown instanceof Beyond) return undefined
    throw thrown
  }
}

function attempt(evaluate: () => unknown): Evaluated {
  try {
    return ok(evaluate())
  } catch (thrown) {
    return thrown instanceof Beyond ? 'beyond' : err({ reason: reasonOf(thrown) })
  }
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof RangeError ? 'nested too deeply' : messageOf(thrown).slice(0, 200)
}

function compile(node: Expression | Super, depth: number): Evaluate {
  if (depth > MAX_DEPTH) throw new Refusal('nested too deeply')
  const inner = (child: Expression | Super): Evaluate => compile(child, depth + 1)
  switch (node.type) {
    case 'Literal':
      return literal(node.value, node.regex !== undefined || node.bigint != null)
    case 'Identifier':
      return identifier(node)
    case 'ParenthesizedExpression':
      return inner(node.expression)
    case 'ChainExpression':
      return chain(inner(node.expression))
    case 'MemberExpression':
      return member(node, inner)
    case 'UnaryExpression':
      return unary(node.operator, inner(node.argument))
    case 'BinaryExpression':
      if (node.left.type === 'PrivateIdentifier') throw new Refusal('private names are not allowed')
      return binary(node.operator, inner(node.left), inner(node.right))
    case 'LogicalExpression':
      return logical(node.operator, inner(node.left), inner(node.right))
    case 'ConditionalExpression': {
      const [test, yes, no] = [inner(node.test), inner(node.consequent), inner(node.alternate)]
      return (scope) => (test(scope) ? yes(scope) : no(scope))
    }
    case 'TemplateLiteral': {
      const texts = node.quasis.map((quasi) => quasi.value.cooked ?? '')
      const values = node.expressions.map(inner)
      return (scope) => texts.map((text, i) => text + (i < values.length ? textOf(values[i]?.(scope)) : '')).join('')
    }
    case 'CallExpression':
      // Only to find names that nobody knows before the flow runs.
      inner(node.callee)
      throw new Beyond()
    case 'AssignmentExpression':
    case 'UpdateExpression':
      throw new Refusal('an expression changes nothing; use a set node')
    case 'ThisExpression':
    case 'Super':
    case 'ImportExpression':
    case 'MetaProperty':
    case 'AwaitExpression':
    case 'YieldExpression':
      throw new Refusal(`${node.type} is not allowed`)
    default:
      throw new Beyond()
  }
}

function literal(value: unknown, isSpecial: boolean): Evaluate {
  if (isSpecial) throw new Beyond()
  return () => value
}

function identifier(node: Identifier): Evaluate {
  switch (node.name) {
    case 'input':
    case 'ci':
      return (scope) => scope.input
    case 'context':
    case 'cc':
      return (scope) => scope.context
    case 'profile':
    case 'cp':
      return (scope) => scope.profile
    case 'undefined':
      return () => undefined
    default:
      if (LANGUAGE_NAMES.has(node.name)) throw new Beyond()
      throw new Refusal(`unknown name ${node.name}`)
  }
}

/** Marks that `?.` met null or undefined: the whole chain is undefined. */
const SHORT_CIRCUIT = Symbol('short circuit')

function chain(evaluate: Evaluate): Evaluate {
  return (scope) => {
    const value = evaluate(scope)
    return value === SHORT_CIRCUIT ? undefined : value
  }
}

function member(node: MemberExpression, inner: (child: Expression | Super) => Evaluate): Evaluate {
  const object = inner(node.object)
  const key = memberKey(node, inner)
  const isOptional = node.optional === true
  return (scope) => {
    const target = object(scope)
    if (target === SHORT_CIRCUIT) return SHORT_CIRCUIT
    if (isOptional && (target === undefined || target === null)) return SHORT_CIRCUIT
    return ownProperty(target, key(scope))
  }
}

function memberKey(node: MemberExpression, inner: (child: Expression | Super) => Evaluate): Evaluate {
  const { property } = node
  if (property.type === 'PrivateIdentifier') throw new Refusal('private names are not allowed')
  if (node.computed) return inner(property)
  if (property.type !== 'Identifier') throw new Beyond()
  const { name } = property
  return () => name
}

/** Own data properties only: neither prototypes nor getters are ever reached. */
function ownProperty(target: unknown, key: unknown): unknown {
  if (typeof key !== 'string' && typeof key !== 'number') throw new Beyond()
  if (target === undefined || target === null) throw new Refusal(`cannot read ${String(key)} of ${String(target)}`)
  const found: PropertyDescriptor | undefined = Object.getOwnPropertyDescriptor(Object(target), key)
  return found === undefined ? undefined : found.value
}

function unary(operator: string, argument: Evaluate): Evaluate {
  switch (operator) {
    case '!':
      return (scope) => !argument(scope)
    case '-':
      return (scope) => -Number(plain(argument(scope)))
    case '+':
      return (scope) => Number(plain(argument(scope)))
    case 'typeof':
      return (scope) => typeof argument(scope)
    case 'delete':
      throw new Refusal('an expression changes nothing; use a set node')
    default:
      throw new Beyond()
  }
}

type Plain = string | number | boolean | null | undefined

function plain(value: unknown): Plain {
  if (value !== null && typeof value === 'object') throw new Beyond()
  return value as Plain
}

function arithmetic(left: Plain, right: Plain, compute: (a: number, b: number) => number): number {
  return compute(Number(left), Number(right))
}

function sum(left: Plain, right: Plain): unknown {
  if (typeof left !== 'string' && typeof right !== 'string') return Number(left) + Number(right)
  return bounded(String(left) + String(right))
}

function less(left: Plain, right: Plain, orEqual: boolean): boolean {
  if (typeof left === 'string' && typeof right === 'string') return orEqual ? left <= right : left < right
  return orEqual ? Number(left) <= Number(right) : Number(left) < Number(right)
}

const BINARY: Readonly<Record<string, (left: Plain, right: Plain) => unknown>> = {
  // biome-ignore lint/suspicious/noDoubleEquals: the expression's author wrote ==, with JavaScript's meaning
  '==': (left, right) => left == right,
  // biome-ignore lint/suspicious/noDoubleEquals: the expression's author wrote !=, with JavaScript's meaning
  '!=': (left, right) => left != right,
  '<': (left, right) => less(left, right, false),
  '<=': (left, right) => less(left, right, true),
  '>': (left, right) => less(right, left, false),
  '>=': (left, right) => less(right, left, true),
  '+': sum,
  '-': (left, right) => arithmetic(left, right, (a, b) => a - b),
  '*': (left, right) => arithmetic(left, right, (a, b) => a * b),
  '/': (left, right) => arithmetic(left, right, (a, b) => a / b),
  '%': (left, right) => arithmetic(left, right, (a, b) => a % b),
}

function binary(operator: string, left: Evaluate, right: Evaluate): Evaluate {
  if (operator === '===') return (scope) => left(scope) === right(scope)
  if (operator === '!==') return (scope) => left(scope) !== right(scope)
  const compute = Object.hasOwn(BINARY, operator) ? BINARY[operator] : undefined
  if (compute === undefined) throw new Beyond()
  return (scope) => compute(plain(left(scope)), plain(right(scope)))
}

function logical(operator: string, left: Evaluate, right: Evaluate): Evaluate {
  switch (operator) {
    case '&&':
      return (scope) => left(scope) && right(scope)
    case '||':
      return (scope) => left(scope) || right(scope)
    default:
      return (scope) => left(scope) ?? right(scope)
  }
}

function bounded(text: string): string {
  if (text.length > MAX_TEXT_LENGTH) throw new Refusal('the text is too long')
  return text
}

/** Text of a value inside a text: nothing for null and undefined, a comma list for lists, JSON for objects. */
function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (Array.isArray(value)) return bounded(value.map(textOf).join(','))
  return bounded(typeof value === 'object' ? JSON.stringify(value) : String(value))
}

/** Text of an evaluated value; fails for cyclic or oversized values. */
export function renderValue(value: unknown): Result<string, ExpressionError> {
  try {
    return ok(textOf(value))
  } catch (thrown) {
    return err({ reason: reasonOf(thrown) })
  }
}
