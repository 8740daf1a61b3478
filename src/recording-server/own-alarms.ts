// Alarms of what is wrong on our own side, and of what we do not take.

import type { Alarm, AlarmCode } from '#store'
import { MOST_SOURCES } from './other-sources.ts'
import { MAX_RUNS } from './track.ts'

/** They stand for the whole session: what is missing does not come back. */
export const lastingAlarms: ReadonlySet<AlarmCode> = new Set(['line-refused', 'too-many-sources', 'too-many-changes'])

/** The disk does not take what is received; `detail` is what it says. */
export function diskAlarm(detail: string): Alarm {
  return {
    code: 'disk-failed',
    severity: 'error',
    cause: `The disk of the recorder does not take what is received: ${detail}.`,
    fix: 'Free space or repair the disk; what is in memory is written as soon as it takes it.',
  }
}

/** A file that is being written has lost its name: somebody removed it, or its folder. */
export function removedAlarm(path: string): Alarm {
  return {
    code: 'file-removed',
    severity: 'error',
    cause: `${path.slice(path.lastIndexOf('/') + 1)} was removed while it was written: what was recorded in it is lost, and so is what follows.`,
    fix: 'Find out what deletes files below the folder of the recorder, and end the recording so that the next one is kept.',
  }
}

/** An m-line that an accepted session goes on without; `number` counts from 1. */
export function refusedLineAlarm(number: number, label: string | undefined, reason: string, fix: string): Alarm {
  const named = label === undefined ? '' : ` (label ${label})`
  return {
    code: 'line-refused',
    severity: 'error',
    ...(label !== undefined && { label }),
    cause: `Media line ${number}${named} of the offer was refused, and what it carries is missing: ${reason}.`,
    fix,
  }
}

/** More sources at once on one m-line than are kept. */
export function sourcesAlarm(about: Pick<Alarm, 'channel' | 'label'>): Alarm {
  return {
    code: 'too-many-sources',
    severity: 'error',
    ...about,
    cause: `More than ${MOST_SOURCES + 1} sources (SSRCs) send on one media line: what those sent that came last is missing.`,
    fix: 'Let the client send each party on a media line of its own, or mix them.',
  }
}

/** More changes of codec than are followed. */
export function changesAlarm(about: Pick<Alarm, 'channel' | 'label'>): Alarm {
  return {
    code: 'too-many-changes',
    severity: 'error',
    ...about,
    cause: `The codec of the stream changed more than ${MAX_RUNS - 1} times: what comes after a further change is missing.`,
    fix: 'Let the client settle on one codec, or transcode.',
  }
}

/** The thread that receives is gone. */
export const workerAlarm: Alarm = {
  code: 'worker-lost',
  severity: 'error',
  cause: 'The thread that receives and writes audio is gone; its recordings are kept up to then.',
  fix: 'Start the recorder again, and report the fault that its log names.',
}
