// Configuration of what the recorder promises to keep.

import { Type } from 'typebox'
import { integer } from './config-leaf.ts'

/** Keys of `recorder.store` about flushing, syncing and full disks. */
export const durabilityKeys = {
  flushMs: integer(
    'What was received goes to the operating system so often, in milliseconds: what the death of the process may cost.',
    100,
    20,
    1000,
  ),
  sync: Type.Enum(['none', 'second', 'always'], {
    default: 'second',
    description:
      'When it goes on to the medium, which only a loss of power asks for: none (at the end of each recording only), second, or always (with every flush).',
  }),
  bufferBytes: integer(
    'Audio that waits in memory for a disk that is slow, full or read-only; what comes beyond it is lost, and marked as lost.',
    67_108_864,
    1_000_000,
    2 ** 34,
  ),
  resumeSeconds: integer(
    'A recorder that starts anew goes on with recordings that were written so recently, in seconds; 0: it closes them.',
    120,
    0,
    3600,
  ),
  resumeSrtp: Type.Enum(['always', 'encrypted', 'never'], {
    default: 'always',
    description:
      'Whether it goes on with SRTP sessions, too, for which their keys are kept in the folder of the recording while it is under way: always, only where encryption is configured (encrypted), or never: then such sessions are ended with a BYE. See docs/durability.md.',
  }),
  minFreeBytes: integer(
    'With fewer bytes free on the disk, new recordings are refused with 503.',
    500_000_000,
    0,
    2 ** 50,
  ),
}

/** Key of `recorder`. */
export const inactiveAlarmMinutes = integer(
  'An alarm tells of a session whose streams have all been inactive or on hold for so long; 0: none does.',
  10,
  0,
  10_080,
)

/** Key of `recorder`. */
export const maxSessions = integer(
  'Recording sessions at a time; above it new ones are refused with 503.',
  2000,
  1,
  100_000,
)
