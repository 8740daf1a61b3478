// Collects digits that the caller dials.

import { Type } from 'typebox'

import { nodeType } from '../node-type.ts'
import { contextPathField, millisecondsField, store } from './fields.ts'

/** `collect {maxDigits, timeoutMs, interDigitTimeoutMs, terminators, into}`; `into` gets `{digits, reason}`. */
export const collect = nodeType(
  'collect',
  {
    maxDigits: Type.Integer({ minimum: 1, maximum: 64, default: 16 }),
    timeoutMs: millisecondsField({ minimum: 1, default: 10_000 }),
    interDigitTimeoutMs: millisecondsField({ minimum: 1, default: 3_000 }),
    terminators: Type.String({
      pattern: '^[0-9A-D*#]{0,16}$',
      default: '#',
      description: 'a text of the keys 0-9, A-D, * and #',
    }),
    into: contextPathField(),
  },
  ({ maxDigits, timeoutMs, interDigitTimeoutMs, terminators, into }, { label }) =>
    async (run) => {
      const outcome = await run.call.collect({ maxDigits, timeoutMs, interDigitTimeoutMs, terminators })
      store(run, label, into, outcome)
      return 'next'
    },
)
