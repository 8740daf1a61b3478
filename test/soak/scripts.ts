// At which moments the calls of a soak end, and what has to become of them.

import type { RecorderPart, Script, SoakCall } from './soak-call.ts'

const SHORTEST_TALK_MS = 40
const TALK_SPREAD_MS = 120
/** Longer than it takes to set a call up, so that any stage is met. */
const ANY_MOMENT_MS = 200

const talkThen = (call: SoakCall, act: () => void): void =>
  call.after(SHORTEST_TALK_MS + call.moment(TALK_SPREAD_MS), act)
const hangUpLater = (call: SoakCall): void => talkThen(call, () => call.callerHangsUp())
const refuseUnless = (isAccepted: (recorder: RecorderPart) => boolean) => (_call: SoakCall, recorder: RecorderPart) =>
  isAccepted(recorder) ? recorder.accept() : recorder.refuse(486)

/** Each with the stage at which the call ends in its title. */
export const scripts: readonly Script[] = [
  {
    title: 'the caller hangs up while being recorded',
    outcomes: ['talked: ended'],
    onRecorded: hangUpLater,
  },
  {
    title: 'the callee hangs up while being recorded',
    outcomes: ['talked: ended'],
    onRecorded: (call) => talkThen(call, () => call.calleeHangsUp()),
  },
  {
    title: 'the caller gives up before the 200',
    outcomes: ['cancelled: no session'],
    onCalleeInvited: (call) => {
      call.calleeRings()
      call.after(call.moment(ANY_MOMENT_MS), () => call.callerHangsUp())
    },
  },
  {
    title: 'the callee is busy',
    // The flow has no words for it and ends, which refuses the caller.
    outcomes: ['refused 603: no session'],
    onCalleeInvited: (call) => call.calleeRefuses(486),
  },
  {
    title: 'the caller hangs up while the recorder rings',
    outcomes: ['talked: cancelled'],
    onRecorderInvited: (call, recorder) => {
      recorder.ring()
      talkThen(call, () => call.callerHangsUp())
    },
  },
  {
    title: 'the caller hangs up while the recorder accepts',
    // The caller may not have its own 200 yet, and cancels.
    outcomes: ['talked: ended', 'talked: cancelled', 'cancelled: ended', 'cancelled: cancelled'],
    onRecorderInvited: (call, recorder) => {
      recorder.accept()
      call.callerHangsUp()
    },
  },
  {
    title: 'the callee hangs up right after the start',
    outcomes: ['talked: ended'],
    onRecorded: (call) => call.calleeHangsUp(),
  },
  {
    title: 'the caller hangs up while pausing',
    outcomes: ['talked: ended'],
    onRecorded: (call) => void call.command('pause'),
    onReoffered: (call, answer) => {
      call.callerHangsUp()
      answer()
    },
  },
  {
    title: 'the caller hangs up after a pause and a resumption',
    outcomes: ['talked: ended'],
    onRecorded: (call) =>
      void call
        .command('pause')
        .then(() => call.command('resume'))
        .then(() => hangUpLater(call)),
  },
  {
    title: 'the caller hangs up during a re-INVITE of the recorder',
    outcomes: ['talked: ended'],
    onRecorded: (call, recorder) => {
      recorder.stopStreams()
      call.after(call.moment(4), () => call.callerHangsUp())
    },
  },
  {
    title: 'the callee hangs up during a re-INVITE of the caller',
    outcomes: ['talked: ended'],
    onRecorded: (call) => call.hold(),
    onCalleeReoffered: (call) => call.calleeHangsUp(),
  },
  {
    title: 'the recorder hangs up, and the next one takes over',
    outcomes: ['talked: hung up, ended'],
    onRecorded: (call, recorder) => {
      if (recorder.index === 0) talkThen(call, () => recorder.bye())
      else hangUpLater(call)
    },
  },
  {
    title: 'the recorder refuses, and the next one accepts',
    outcomes: ['talked: refused, ended'],
    onRecorderInvited: refuseUnless(({ index }) => index > 0),
    onRecorded: hangUpLater,
  },
  {
    title: 'every recorder refuses',
    outcomes: ['talked: refused, refused'],
    onRecorderInvited: (call, recorder) => {
      recorder.refuse(486)
      if (recorder.index > 0) hangUpLater(call)
    },
  },
  {
    title: 'the caller hangs up at any moment',
    outcomes: [],
    onPlaced: (call) => call.after(call.moment(ANY_MOMENT_MS), () => call.callerHangsUp()),
  },
]
