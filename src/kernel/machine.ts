// The contract of every state machine here: inputs come in, outputs go out, nothing else happens.

import { InvariantError } from './assert.ts'

/** A sans-IO machine; the caller carries out the outputs in order. */
export interface Machine<Input, Output> {
  handle(input: Input): Output[]
}

/** Table of legal moves; a state is entered only along one of its edges. */
export type Edges<State extends string> = Readonly<Record<State, readonly State[]>>

/** Throws InvariantError unless `edges` allow the move from `from` to `to`. */
export function checkEdge<State extends string>(edges: Edges<State>, from: State, to: State): void {
  if (!edges[from].includes(to)) throw new InvariantError(`illegal transition ${from} -> ${to}`)
}
