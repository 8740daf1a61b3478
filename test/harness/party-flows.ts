// Who speaks and hears on which stream, read from documents and forks for short assertions.

import type { RecordingMetadata } from '#siprec'
import type { RecordingBench } from './recording-bench.ts'

/** `label: sender > receiver` for each stream, by user part, with `-` for nobody. */
export function flowsOf(document: RecordingMetadata | undefined): string[] {
  const present = document?.participantStreamAssocs.filter((each) => each.disassociateTime === undefined) ?? []
  const names = (list: 'send' | 'recv', streamId: string): string =>
    present
      .filter((each) => each[list].includes(streamId))
      .map(({ participantId }) => document?.participants.find((each) => each.participantId === participantId))
      .map((participant) => /sip:(\w+)/.exec(participant?.nameIds[0]?.aor ?? '')?.[1])
      .join('+') || '-'
  return (document?.streams ?? []).map(
    ({ label, streamId }) => `${label}: ${names('send', streamId)} > ${names('recv', streamId)}`,
  )
}

/** `leg point` of what each live fork copies, taps of a mix joined by `+`. */
export function tapsOf(bench: RecordingBench): string[] {
  return [...bench.call.media.forks.values()].map(({ tap }) =>
    ('mix' in tap ? tap.mix : [tap]).map(({ leg, point }) => `${leg} ${point}`).join('+'),
  )
}
