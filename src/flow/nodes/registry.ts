// Every kind of node that a flow can use.

import type { NodeType } from '../node-type.ts'
import { answer } from './answer.ts'
import { callRecording } from './call-recording.ts'
import { collect } from './collect.ts'
import { dial } from './dial.ts'
import { hangup } from './hangup.ts'
import { ifNode } from './if.ts'
import { join, leave } from './join.ts'
import { log } from './log.ts'
import { play } from './play.ts'
import { repeat } from './repeat.ts'
import { set } from './set.ts'
import { switchNode } from './switch.ts'
import { wait } from './wait.ts'

/** Node types by the name that a flow file calls them. */
export const nodeTypes: ReadonlyMap<string, NodeType> = new Map(
  [answer, play, collect, dial, join, leave, callRecording, wait, set, ifNode, switchNode, repeat, log, hangup].map(
    (node) => [node.type, node],
  ),
)
