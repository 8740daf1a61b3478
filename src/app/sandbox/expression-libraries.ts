// lodash as `_` and moment as `moment`, as CognigyScript has them: loaded into the QuickJS of an expression that names them.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** A library that expressions may use, under the name they know it by. */
interface ExpressionLibrary {
  readonly name: string
  /** Whether a source may use it; a name that only stands in a text costs time and nothing else. */
  readonly isNamedIn: (source: string) => boolean
  /** Its program: a script that puts it on the global object. */
  readonly program: () => string
}

const LIBRARIES: readonly ExpressionLibrary[] = [
  {
    name: '_',
    isNamedIn: naming(/(?<![\w$])_(?![\w$])/),
    program: once(() => require.resolve('lodash/lodash.min.js')),
  },
  {
    name: 'moment',
    isNamedIn: naming(/(?<![\w$])moment(?![\w$])/),
    program: once(() => require.resolve('moment/min/moment.min.js')),
  },
]

/** The libraries that this source may use. */
export function librariesFor(source: string): readonly ExpressionLibrary[] {
  return LIBRARIES.filter(({ isNamedIn }) => isNamedIn(source))
}

function naming(pattern: RegExp): (source: string) => boolean {
  return (source) => pattern.test(source)
}

function once(resolve: () => string): () => string {
  let text: string | undefined
  return () => (text ??= readFileSync(resolve(), 'utf8'))
}
