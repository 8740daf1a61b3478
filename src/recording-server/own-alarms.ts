// Alarms of what is wrong on our own side.

import type { Alarm } from '#store'

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

/** The thread that receives is gone. */
export const workerAlarm: Alarm = {
  code: 'worker-lost',
  severity: 'error',
  cause: 'The thread that receives and writes audio is gone; its recordings are kept up to then.',
  fix: 'Start the recorder again, and report the fault that its log names.',
}
