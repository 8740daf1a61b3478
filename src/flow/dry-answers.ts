// What the world answers in a dry run, written as `collect=1234#,dial=busy`: each kind in its order.

import { err, ok, type Result } from '#kernel'

const RESULTS: Readonly<Record<string, RegExp>> = {
  answer: /^(?:true|false|hangup)$/,
  collect: /^(?:[0-9A-D*#]{1,64}|timeout|hangup)$/,
  dial: /^(?:answered|busy|no-answer|rejected|failed|forbidden|hangup)$/,
  join: /^(?:answered|busy|no-answer|rejected|failed|forbidden|hangup)$/,
  play: /^(?:finished|failed|hangup)$/,
  say: /^(?:finished|failed|hangup)$/,
  refer: /^(?:transferred|refused|failed|forbidden|timeout|hangup)$/,
  request: /^(?:[1-5][0-9]{2}|forbidden|timeout|too-large|failed|hangup)$/,
  record: /^(?:[1-6][0-9]{2}|hangup)$/,
  wait: /^(?:elapsed|hangup)$/,
}

/** Answers that are left, by what is asked. */
export class DryAnswers {
  readonly #left: Map<string, string[]>

  private constructor(left: Map<string, string[]>) {
    this.#left = left
  }

  /** Reads the list; the error says which entry is wrong and what was expected. */
  static parse(text: string): Result<DryAnswers, string> {
    const left = new Map<string, string[]>()
    for (const entry of text.split(',').filter((part) => part.trim() !== '')) {
      const [kind = '', value = ''] = entry.trim().split('=', 2)
      const pattern = Object.hasOwn(RESULTS, kind) ? RESULTS[kind] : undefined
      if (pattern === undefined) {
        return err(`${entry.trim()}: expected KIND=ANSWER with one of ${Object.keys(RESULTS).join(', ')}`)
      }
      if (!pattern.test(value)) return err(`${entry.trim()}: expected ${expected(pattern)} behind ${kind}=`)
      left.set(kind, [...(left.get(kind) ?? []), value])
    }
    return ok(new DryAnswers(left))
  }

  /** The next answer of a kind; undefined when none is left. */
  take(kind: string): string | undefined {
    return this.#left.get(kind)?.shift()
  }
}

function expected(pattern: RegExp): string {
  return pattern.source.replace(/^\^\(\?:|\)\$$/g, '').replaceAll('|', ', ')
}
