// What happens on the call while the recorder misbehaves: one timeline per state of the recording.

import type { Step } from './chaos-scene.ts'

const recording: readonly Step[] = ['answer', 200, 'start', 6000]
const paused: readonly Step[] = [...recording, 'pause', 3000]

/** Timelines in which the call goes on; in all of them the caller hangs up at the end. */
export const timelines = {
  'before the answer': ['start', 200, 'answer', 6000],
  active: [...recording, 'hold', 1000, 'unhold', 3000],
  pausing: [...recording, 'pause', 6000],
  resuming: [...paused, 'resume', 8000],
  stopping: [...recording, 'stop', 6000],
  'paused while inviting': ['answer', 200, 'start', 1, 'pause', 7000],
  'stopped while inviting': ['answer', 200, 'start', 1, 'stop', 7000],
  'paused again while resuming': [...paused, 'resume', 'pause', 6000],
  'stopped while pausing': [...recording, 'pause', 'stop', 6000],
} as const satisfies Readonly<Record<string, readonly Step[]>>

/** Name of a timeline. */
export type TimelineName = keyof typeof timelines

/** Timelines that end by the caller hanging up at the worst moment, in each state of a transaction with the recorder. */
export const endings: Readonly<Record<string, readonly Step[]>> = {
  'with the start': ['answer', 200, 'start', 'hangup'],
  'before the INVITE has arrived': ['answer', 200, 'start', 1, 'hangup'],
  'with the answer of the recorder': ['answer', 200, 'start', 4, 'hangup'],
  'a moment after the answer of the recorder': ['answer', 200, 'start', 6, 'hangup'],
  'a second into the invitation': ['answer', 200, 'start', 1000, 'hangup'],
  'with the deadline of the start': ['answer', 200, 'start', 5000, 'hangup'],
  'after the deadline of the start': ['answer', 200, 'start', 11_000, 'hangup'],
  'with the pause': [...recording, 'pause', 'hangup'],
  'while the pause is answered': [...recording, 'pause', 2, 'hangup'],
  'while paused': [...paused, 'hangup'],
  'with the resumption': [...paused, 'resume', 'hangup'],
  'while the resumption is answered': [...paused, 'resume', 2, 'hangup'],
  'with the stop': [...recording, 'stop', 'hangup'],
  'while the last document is sent': [...recording, 'stop', 2, 'hangup'],
  'before the call is answered': ['start', 200, 'hangup'],
}
