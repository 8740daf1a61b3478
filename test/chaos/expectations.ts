// The right story of each fault in each timeline: what every command is answered, and the state reported afterwards.

import type { TimelineName } from './timelines.ts'

type Story = Readonly<Record<TimelineName, string>>

/** A recorder that is up and obeys, or keeps the session at least, or takes a new one after it has lost one. */
const up: Story = {
  'before the answer': 'start 200 recording',
  active: 'start 200 recording',
  pausing: 'start 200 recording; pause 200 paused',
  resuming: 'start 200 recording; pause 200 paused; resume 200 recording',
  stopping: 'start 200 recording; stop 200 none',
  'paused while inviting': 'start 200 starting; pause 200 paused',
  'stopped while inviting': 'start 487 starting; stop 200 none',
  'paused again while resuming': 'start 200 recording; pause 200 paused; resume 503 resuming; pause 200 paused',
  'stopped while pausing': 'start 200 recording; pause 200 pausing; stop 200 none',
}

/** A recorder that takes no recording. */
const refused: Story = {
  'before the answer': 'start 503 none',
  active: 'start 503 none',
  pausing: 'start 503 none; pause 400 none',
  resuming: 'start 503 none; pause 400 none; resume 400 none',
  stopping: 'start 503 none; stop 400 none',
  'paused while inviting': 'start 503 starting; pause 200 none',
  'stopped while inviting': 'start 487 starting; stop 200 none',
  'paused again while resuming': 'start 503 none; pause 400 none; resume 400 none; pause 400 none',
  'stopped while pausing': 'start 503 none; pause 400 none; stop 400 none',
}

/** A recorder that never agrees to a resumption: media stays cut. */
const neverResumes: Story = { ...up, resuming: 'start 200 recording; pause 200 paused; resume 503 paused' }

/** A recorder that takes every session and leaves it soon: after three of them nobody has the recording. */
const neverStays: Story = {
  ...neverResumes,
  'before the answer': 'start 200 starting',
  active: 'start 200 starting',
  pausing: 'start 200 starting; pause 200 paused',
  resuming: 'start 200 starting; pause 200 paused; resume 503 paused',
  stopping: 'start 200 starting; stop 200 none',
  'paused again while resuming': 'start 200 starting; pause 200 paused; resume 503 resuming; pause 200 paused',
  'stopped while pausing': 'start 200 starting; pause 200 pausing; stop 200 none',
}

/** A recorder that was never brought to accept the pause: it expects audio still, so that a resumption needs no signalling. */
const unmoved: Story = {
  ...up,
  'paused again while resuming': 'start 200 recording; pause 200 paused; resume 200 recording; pause 200 paused',
}

const stories: Readonly<Record<string, Story>> = {
  silent: refused,
  trying: refused,
  ringing: refused,
  late: refused,
  'late-after-cancel': refused,
  busy: refused,
  unavailable: refused,
  'server-error': refused,
  forbidden: refused,
  'not-a-recorder': refused,
  'not-acceptable': refused,
  decline: refused,
  redirect: refused,
  'unknown-profile': refused,
  'refuses-all-streams': refused,
  'other-codecs': refused,
  'no-sdp': refused,
  'broken-sdp': refused,
  'broken-reanswer': unmoved,
  'no-reanswer': unmoved,
  'reinvite-488': unmoved,
  'reinvite-603': unmoved,
  'reinvite-491': neverResumes,
  'reinvite-500': neverResumes,
  'reinvite-silent': neverResumes,
  'vanish-at-reinvite': neverResumes,
  'vanish-with-200': neverResumes,
  'vanish-later': neverResumes,
  'bye-at-once': neverStays,
  'bye-with-200': neverStays,
  'bye-later': { ...neverStays, resuming: 'start 200 starting; pause 200 paused; resume 200 starting' },
}

/** The right story of a fault in a timeline. */
export function storyOf(fault: string, timeline: TimelineName): string {
  return (stories[fault] ?? up)[timeline]
}
