// Reads the pages of docs that the console shows: headings, paragraphs, indented code and tables; each row of a table is a topic.

/** A piece of a line. */
export interface Span {
  readonly kind: 'text' | 'code' | 'link'
  readonly text: string
  /** Of a link. */
  readonly target?: string
}

/** A row of a table: what is seen, and what there is to say of it by column. */
export interface Topic {
  readonly id: string
  readonly title: readonly Span[]
  readonly facts: readonly { readonly name: string; readonly spans: readonly Span[] }[]
}

/** A part of a page. */
export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly spans: readonly Span[] }
  | { readonly kind: 'paragraph'; readonly spans: readonly Span[] }
  /** As it is to be typed. */
  | { readonly kind: 'code'; readonly text: string }
  /** `level` is that of the heading above. */
  | { readonly kind: 'topics'; readonly level: number; readonly topics: readonly Topic[] }

const indent = '    '

/** The parts of a page, in their order. */
export function readPage(text: string): Block[] {
  let level = 1
  return text.split(/\n{2,}/).flatMap((part): Block[] => {
    const lines = part.split('\n').filter((line) => line !== '')
    const [first = ''] = lines
    const heading = /^(#+) (.*)$/.exec(first)
    if (heading !== null) {
      level = heading[1]?.length ?? 1
      return [{ kind: 'heading', level, spans: spansOf(heading[2] ?? '') }]
    }
    if (first.startsWith(indent)) {
      return [{ kind: 'code', text: lines.map((line) => line.slice(indent.length)).join('\n') }]
    }
    if (first.startsWith('|')) return [{ kind: 'topics', level, topics: topicsOf(lines) }]
    return first === '' ? [] : [{ kind: 'paragraph', spans: spansOf(lines.join(' ')) }]
  })
}

function topicsOf([head = '', , ...rows]: readonly string[]): Topic[] {
  const [, ...names] = cellsOf(head)
  return rows.map((row) => {
    const [first = '', ...cells] = cellsOf(row)
    const [, id, title = first] = /^<a id="([a-z-]+)"><\/a>(.*)$/.exec(first) ?? []
    return {
      id: id ?? title.replace(/[^a-z]+/g, '-').replace(/^-|-$/g, ''),
      title: spansOf(title),
      facts: cells.map((cell, at) => ({ name: names[at] ?? '', spans: spansOf(cell) })),
    }
  })
}

function cellsOf(row: string): string[] {
  return row
    .slice(1, row.lastIndexOf('|'))
    .split(/(?<!\\)\|/)
    .map((cell) => cell.replaceAll('\\|', '|').trim())
}

function spansOf(text: string): Span[] {
  const spans: Span[] = []
  let at = 0
  for (const match of text.matchAll(/`([^`]+)`|\[([^\]]+)\]\(([^)]+)\)/g)) {
    if (match.index > at) spans.push({ kind: 'text', text: text.slice(at, match.index) })
    const [all, code, link, target] = match
    if (code !== undefined) spans.push({ kind: 'code', text: code })
    else spans.push({ kind: 'link', text: link ?? '', target: target ?? '' })
    at = match.index + all.length
  }
  if (at < text.length) spans.push({ kind: 'text', text: text.slice(at) })
  return spans
}
