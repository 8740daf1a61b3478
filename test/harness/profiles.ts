// Recorder profiles for tests: the default with what a test changes.

import { defaultProfile, type RecorderProfile } from '#recording-client'

type ProfileChange = Partial<Omit<RecorderProfile, 'metadata' | 'media'>> & {
  readonly metadata?: Partial<RecorderProfile['metadata']>
  readonly media?: Partial<RecorderProfile['media']>
}

/** Surroundings in which every recorder has this profile. */
export function profiled(change: ProfileChange): { readonly profileOf: () => RecorderProfile } {
  const { metadata, media } = defaultProfile
  const profile = {
    ...defaultProfile,
    ...change,
    metadata: { ...metadata, ...change.metadata },
    media: { ...media, ...change.media },
  }
  return { profileOf: () => profile }
}
