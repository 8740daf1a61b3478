// Every kind of node that a flow can use.

import type { NodeType } from '../node-type.ts'
import { answer } from './answer.ts'
import { callRecording } from './call-recording.ts'
import { collect } from './collect.ts'
import { consent } from './consent.ts'
import { dial } from './dial.ts'
import { hangup } from './hangup.ts'
import { httpRequest } from './http-request.ts'
import { ifNode } from './if.ts'
import { join, leave } from './join.ts'
import { log } from './log.ts'
import { play } from './play.ts'
import { repeat } from './repeat.ts'
import { say } from './say.ts'
import { set } from './set.ts'
import { switchNode } from './switch.ts'
import { transfer } from './transfer.ts'
import { wait } from './wait.ts'

/** Node types by the name that a flow file calls them. */
export const nodeTypes: ReadonlyMap<string, NodeType> = new Map(
  [
    answer,
    play,
    say,
    collect,
    dial,
    join,
    leave,
    transfer,
    callRecording,
    consent,
    httpRequest,
    wait,
    set,
    ifNode,
    switchNode,
    repeat,
    log,
    hangup,
  ].map((node) => [node.type, node]),
)
