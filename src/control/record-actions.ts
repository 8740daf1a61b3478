// What is said to who names an action for a recording that there is not: one text, whichever way it came.

const MAX_SHOWN = 40

/** Text of a refusal that says what may be asked instead; fit for a status line (printable, at most 200 characters). */
export function unknownActionText(action: string, known: readonly string[]): string {
  const shown = action.replace(/[^\x20-\x7e]/g, ' ').slice(0, MAX_SHOWN)
  return `invalid record action ${shown.trim()}: expected ${known.slice(0, -1).join(', ')} or ${known.at(-1)}`
}
