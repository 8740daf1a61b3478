// Remembers the last few parse results: From, To, Via and Contact of one message are read by the parser's checks,
// the transaction and the dialog in turn, and need to be parsed only once.

const SLOTS = 16

/** `parse` with its last results remembered; the results are shared, so they must be immutable. */
export function rememberRecent<T>(parse: (text: string) => T): (text: string) => T {
  const texts: string[] = new Array(SLOTS).fill('')
  const results: T[] = new Array(SLOTS).fill(parse(''))
  return (text) => {
    const slot = text.length % SLOTS
    if (texts[slot] === text) return results[slot]!
    const result = parse(text)
    texts[slot] = text
    results[slot] = result
    return result
  }
}
