// What a flow looks like: its nodes with their fields and branches, and the picture of how a call runs through them.

/** A node as it is written, without the nodes inside it. */
export interface OutlineNode {
  /** Place in the document, such as `nodes[2].then[0]`. */
  readonly id: string
  readonly type: string
  /** Counted from 1. */
  readonly line: number
  readonly fields: Readonly<Record<string, unknown>>
  readonly branches: readonly OutlineBranch[]
}

/** One of the lists of nodes that a node chooses from, or repeats. */
export interface OutlineBranch {
  readonly label: string
  readonly nodes: readonly OutlineNode[]
}

/** Nodes and edges; `start` and `end` are nodes as well. */
export interface FlowGraph {
  readonly nodes: readonly {
    readonly id: string
    readonly type: string
    readonly line: number
    readonly fields: Readonly<Record<string, unknown>>
  }[]
  readonly edges: readonly { readonly from: string; readonly to: string; readonly label?: string }[]
}

interface Exit {
  readonly from: string
  readonly label?: string
}

/** The picture of a flow. */
export function graphOf(outline: readonly OutlineNode[]): FlowGraph {
  const nodes: FlowGraph['nodes'][number][] = [{ id: 'start', type: 'start', line: 1, fields: {} }]
  const edges: FlowGraph['edges'][number][] = []
  const enter = (to: string, exits: readonly Exit[]): void => {
    for (const exit of exits) edges.push({ ...exit, to })
  }
  const through = (list: readonly OutlineNode[], entries: readonly Exit[]): readonly Exit[] => {
    let exits = entries
    for (const { branches, ...node } of list) {
      nodes.push(node)
      enter(node.id, exits)
      exits = [{ from: node.id }]
      if (node.type === 'hangup') {
        enter('end', exits)
        exits = []
      } else if (node.type === 'repeat') {
        for (const { label, nodes: body } of branches) enter(node.id, through(body, [{ from: node.id, label }]))
        exits = [{ from: node.id, label: 'done' }]
      } else if (branches.length > 0) {
        exits = branches.flatMap(({ label, nodes: body }) => through(body, [{ from: node.id, label }]))
      }
    }
    return exits
  }
  const exits = through(outline, [{ from: 'start' }])
  nodes.push({ id: 'end', type: 'end', line: 1, fields: {} })
  enter('end', exits)
  return { nodes, edges }
}
