// The picture of a flow: its nodes from top to bottom, ways that skip nodes or lead back drawn beside them.

import type { FlowGraph } from '../../../../src/control/flow-contract.ts'

const WIDTH = 250
const LEAST_HEIGHT = 40
const GAP = 30
const LANE = 18
const LEFT = 4
/** Room for the labels of ways that leave at the side, one below the other. */
const EXIT = 17
const LABEL_ROOM = 76
const MOST_LETTERS = 26

type Node = FlowGraph['nodes'][number]
type Way = FlowGraph['edges'][number] & { readonly start: number; readonly end: number }

/** Draws it, with the node `at` marked; a reader of screens gets the ways as a sentence. */
export function FlowPicture({ graph: { nodes, edges }, at }: { graph: FlowGraph; at: string | undefined }) {
  const rows = new Map(nodes.map(({ id }, row) => [id, row]))
  const ways = edges.map((edge): Way => ({ ...edge, start: rows.get(edge.from) ?? 0, end: rows.get(edge.to) ?? 0 }))
  const beside = ways.filter(({ start, end }) => end !== start + 1)
  const exitsOf = (row: number): readonly Way[] => beside.filter(({ start }) => start === row)
  const heights = nodes.map((_node, row) => Math.max(LEAST_HEIGHT, EXIT * (exitsOf(row).length + 1)))
  const tops = heights.map((_height, row) => 2 + heights.slice(0, row).reduce((sum, height) => sum + height + GAP, 0))
  const width = LEFT + WIDTH + LABEL_ROOM + LANE * (beside.length + 1)
  const height = (tops.at(-1) ?? 0) + LEAST_HEIGHT + 4
  const right = LEFT + WIDTH
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide picture scrolls, by the keyboard too
    <section class="picture" tabIndex={0} aria-label="Picture of the flow">
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={sentence(ways)}>
        <defs>
          <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">
            <path d="M0 0 L8 4 L0 8 z" />
          </marker>
        </defs>
        {ways.map((way) => {
          const { from, to, label, start, end } = way
          const lane = beside.indexOf(way)
          const below = (tops[start] ?? 0) + (heights[start] ?? 0)
          const above = tops[end] ?? 0
          if (lane === -1) {
            return (
              <g key={`${from}>${to}${label}`}>
                <path d={`M${LEFT + WIDTH / 2} ${below} V${above - 1}`} marker-end="url(#tip)" />
                <text x={LEFT + WIDTH / 2 + 8} y={below + GAP / 2 + 4}>
                  {label}
                </text>
              </g>
            )
          }
          const x = right + LABEL_ROOM + LANE * lane
          const a = (tops[start] ?? 0) + EXIT * (exitsOf(start).indexOf(way) + 1)
          const b = above + (heights[end] ?? 0) - 8
          return (
            <g key={`${from}>${to}${label}`}>
              <path d={`M${right} ${a} H${x} V${b} H${right + 1}`} marker-end="url(#tip)" />
              <text x={right + 6} y={a - 4}>
                {label}
              </text>
            </g>
          )
        })}
        {nodes.map((node, row) => (
          <g key={node.id} data-at={node.id === at} data-edge={node.id === 'start' || node.id === 'end'}>
            <rect x={LEFT} y={tops[row]} width={WIDTH} height={heights[row]} rx="8" />
            <text class="name" x={LEFT + 10} y={(tops[row] ?? 0) + (gist(node) === '' ? 25 : 18)}>
              {node.type}
            </text>
            <text x={LEFT + 10} y={(tops[row] ?? 0) + 33}>
              {gist(node)}
            </text>
            {node.id !== 'start' && node.id !== 'end' && (
              <text x={right - 10} y={(tops[row] ?? 0) + 18} text-anchor="end">
                line {node.line}
              </text>
            )}
          </g>
        ))}
      </svg>
    </section>
  )
}

/** What tells a node from others of its type: the first of its fields that is a text. */
function gist({ fields }: Node): string {
  const text = Object.values(fields).find((value) => typeof value === 'string' && value !== '')
  if (typeof text !== 'string') return ''
  return text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS)}…` : text
}

function sentence(ways: readonly Way[]): string {
  return ways.map(({ from, to, label }) => `${from} to ${to}${label === undefined ? '' : ` if ${label}`}`).join(', ')
}
