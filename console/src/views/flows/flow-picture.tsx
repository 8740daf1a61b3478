// The picture of a flow: its nodes from top to bottom, ways that skip nodes or lead back drawn beside them.

import type { FlowGraph } from '../../../../src/control/flow-contract.ts'

const WIDTH = 220
const HEIGHT = 40
const GAP = 32
const LANE = 22
const LABEL_ROOM = 90
const LEFT = 4

/** Draws it, with the node `at` marked; a reader of screens gets the ways as a sentence. */
export function FlowPicture({ graph: { nodes, edges }, at }: { graph: FlowGraph; at: string | undefined }) {
  const rows = new Map(nodes.map(({ id }, at) => [id, at]))
  const ways = edges.map((edge) => ({ ...edge, start: rows.get(edge.from) ?? 0, end: rows.get(edge.to) ?? 0 }))
  const beside = ways.filter(({ start, end }) => end !== start + 1)
  const width = LEFT + WIDTH + LANE * (beside.length + 1) + LABEL_ROOM
  const height = nodes.length * (HEIGHT + GAP)
  const top = (row: number): number => row * (HEIGHT + GAP) + 2
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide picture scrolls, by the keyboard too
    <section class="picture" tabIndex={0} aria-label="Picture of the flow">
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={sentence(ways)}>
        <defs>
          <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">
            <path d="M0 0 L8 4 L0 8 z" />
          </marker>
        </defs>
        {ways.map(({ from, to, label, start, end }) => {
          const lane = beside.findIndex((one) => one.from === from && one.to === to && one.label === label)
          const y1 = top(start) + HEIGHT
          if (lane === -1) {
            return (
              <g key={`${from}>${to}${label}`}>
                <path d={`M${LEFT + WIDTH / 2} ${y1} V${top(end) - 1}`} marker-end="url(#tip)" />
                <text x={LEFT + WIDTH / 2 + 8} y={y1 + GAP / 2 + 4}>
                  {label}
                </text>
              </g>
            )
          }
          const x = LEFT + WIDTH + LANE * (lane + 1)
          const [a, b] = [top(start) + HEIGHT / 2, top(end) + HEIGHT / 2]
          return (
            <g key={`${from}>${to}${label}`}>
              <path d={`M${LEFT + WIDTH} ${a} H${x} V${b} H${LEFT + WIDTH + 1}`} marker-end="url(#tip)" />
              <text x={LEFT + WIDTH + 4} y={a - 6}>
                {label}
              </text>
            </g>
          )
        })}
        {nodes.map(({ id, type, line }, row) => (
          <g key={id} data-at={id === at}>
            <rect x={LEFT} y={top(row)} width={WIDTH} height={HEIGHT} rx="8" />
            <text class="name" x={LEFT + 10} y={top(row) + 25}>
              {type}
            </text>
            <text x={LEFT + WIDTH - 10} y={top(row) + 25} text-anchor="end">
              {line > 0 ? `line ${line}` : ''}
            </text>
          </g>
        ))}
      </svg>
    </section>
  )
}

function sentence(ways: readonly { readonly from: string; readonly to: string; readonly label?: string }[]): string {
  return ways.map(({ from, to, label }) => `${from} to ${to}${label === undefined ? '' : ` if ${label}`}`).join(', ')
}
