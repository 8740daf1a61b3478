// One expression in a QuickJS of its own: fresh runtime, limits on memory, stack, time and result, and nothing of ours inside.

import {
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSWASMModule,
  shouldInterruptAfterDeadline,
} from 'quickjs-emscripten-core'
import { MAX_TEXT_LENGTH } from '#flow'
import { messageOf } from '#kernel'
import { librariesFor } from './expression-libraries.ts'
import type { SandboxOutcome, SandboxRequest } from './sandbox-messages.ts'

const MEMORY_BYTES = 16_000_000
const STACK_BYTES = 256 * 1024
/** Loops end here by themselves; the host ends what does not look at the clock. */
const INTERRUPT_MS = 250
const MAX_REASON = 200

/** Names of the scope, and what CognigyScript calls them for short. */
const DATA = `(text) => {
  const { input, context, profile } = JSON.parse(text)
  Object.assign(globalThis, { input, context, profile, ci: input, cc: context, cp: profile })
}`

// Taken before the expression runs, which may replace whatever it finds.
const SHOW = `(() => {
  const { stringify } = JSON
  const Later = Promise
  return (value) => {
    if (value instanceof Later) throw new TypeError('a promise is no value')
    return stringify(value)
  }
})()`

/** Evaluates; throws only when the QuickJS module itself is broken, after which it must not be used again. */
export function evaluateIn(module: QuickJSWASMModule, { source, scope }: SandboxRequest): SandboxOutcome {
  const runtime = module.newRuntime({
    memoryLimitBytes: MEMORY_BYTES,
    maxStackSizeBytes: STACK_BYTES,
  })
  const context = runtime.newContext()
  try {
    const data = context.newString(scope)
    const define = context.unwrapResult(context.evalCode(DATA))
    const show = context.unwrapResult(context.evalCode(SHOW))
    context.unwrapResult(context.callFunction(define, context.undefined, data)).dispose()
    for (const handle of [data, define]) handle.dispose()
    for (const { name, program } of librariesFor(source)) {
      context.unwrapResult(context.evalCode(program(), `${name}.js`)).dispose()
    }
    // From here on the time is the expression's own.
    runtime.setInterruptHandler(shouldInterruptAfterDeadline(Date.now() + INTERRUPT_MS))
    const outcome = outcomeOf(context, context.evalCode(`"use strict";(${source}\n)`, 'expression.js'), show)
    show.dispose()
    return outcome
  } finally {
    context.dispose()
    runtime.dispose()
  }
}

function outcomeOf(
  context: QuickJSContext,
  result: ReturnType<QuickJSContext['evalCode']>,
  show: QuickJSHandle,
): SandboxOutcome {
  if (result.error !== undefined) return failed(context, result.error)
  const { value } = result
  try {
    switch (context.typeof(value)) {
      case 'undefined':
        return { kind: 'plain', value: undefined }
      case 'boolean':
        return { kind: 'plain', value: context.dump(value) as boolean }
      case 'number':
        return { kind: 'plain', value: context.getNumber(value) }
      case 'string':
        return bounded(context, value, 'plain')
      case 'object':
        return shown(context, context.callFunction(show, context.undefined, value))
      default:
        return { kind: 'failed', reason: `a ${context.typeof(value)} is no value` }
    }
  } finally {
    value.dispose()
  }
}

function shown(context: QuickJSContext, result: ReturnType<QuickJSContext['callFunction']>): SandboxOutcome {
  if (result.error !== undefined) return failed(context, result.error)
  const { value } = result
  const outcome: SandboxOutcome =
    context.typeof(value) === 'string' ? bounded(context, value, 'json') : { kind: 'plain', value: undefined }
  value.dispose()
  return outcome
}

/** The length is asked for first: a huge text must not be copied out of the sandbox. */
function bounded(context: QuickJSContext, value: QuickJSHandle, kind: 'plain' | 'json'): SandboxOutcome {
  const length = context.getProp(value, 'length').consume((handle) => context.getNumber(handle))
  if (length > MAX_TEXT_LENGTH) return { kind: 'failed', reason: 'the result is too long' }
  const text = context.getString(value)
  return kind === 'plain' ? { kind, value: text } : { kind, text }
}

function failed(context: QuickJSContext, error: QuickJSHandle): SandboxOutcome {
  const [name, message] = [textProperty(context, error, 'name'), textProperty(context, error, 'message')]
  error.dispose()
  const reason = name === undefined || message === undefined ? 'threw what is no error' : `${name}: ${message}`
  return { kind: 'failed', reason: reason.slice(0, MAX_REASON) }
}

function textProperty(context: QuickJSContext, target: QuickJSHandle, name: string): string | undefined {
  if (context.typeof(target) !== 'object') return undefined
  try {
    return context.getProp(target, name).consume((handle) => {
      if (context.typeof(handle) !== 'string') return undefined
      const outcome = bounded(context, handle, 'json')
      return outcome.kind === 'json' ? outcome.text : undefined
    })
  } catch (thrown) {
    return messageOf(thrown)
  }
}
