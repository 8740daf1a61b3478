// What changed between two texts, line by line.

/** A line that is in both texts, only in the newer (`+`), or only in the older (`-`). */
export interface DiffLine {
  readonly mark: ' ' | '+' | '-'
  readonly text: string
}

/** Above this the table of the comparison is too large for a page. */
const MOST_CELLS = 4_000_000

/** The difference but for what is empty at the ends; no line when nothing changed, undefined when there is too much to compare. */
export function diffOf(before: string, after: string): readonly DiffLine[] | undefined {
  const [a, b] = [before.trimEnd().split('\n'), after.trimEnd().split('\n')] as const
  if (a.join('\n') === b.join('\n')) return []
  if (a.length * b.length > MOST_CELLS) return undefined
  // common[i][j]: length of the longest common part of the rests that begin at i and j.
  const width = b.length + 1
  const common = new Uint32Array((a.length + 1) * width)
  const at = (i: number, j: number): number => common[i * width + j] ?? 0
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const lines: DiffLine[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ mark: ' ', text: a[i] ?? '' })
      i += 1
      j += 1
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ mark: '-', text: a[i] ?? '' })
      i += 1
    } else {
      lines.push({ mark: '+', text: b[j] ?? '' })
      j += 1
    }
  }
  return lines
}
