// Recorder profiles out of the configuration: a preset, and what is written over it.

import { defaultProfile, type RecorderProfile } from '#recording-client'
import type { ProfileConfig } from './config-schema.ts'

type Preset = Omit<RecorderProfile, 'name' | 'credentials'>

const { name: _name, ...rfc } = defaultProfile
const audioOnly = { ...rfc.media, video: false }

/** What recorders of a kind are known to take; docs/recorder-profiles.md tells why. */
const presets: Readonly<Record<ProfileConfig['preset'], Preset>> = {
  rfc,
  jambonz: { ...rfc, metadata: { ...rfc.metadata, jambonzWrapper: true }, media: audioOnly },
  smarttap: {
    ...rfc,
    metadata: { ...rfc.metadata, mediaType: 'legacy', dialect: 'smarttap' },
    media: audioOnly,
  },
  google: {
    ...rfc,
    transport: 'tls',
    media: { ...audioOnly, codecs: 'g711', srtp: ['AES_CM_128_HMAC_SHA1_80', 'AEAD_AES_256_GCM'] },
    trustedNetwork: false,
  },
  chime: { ...rfc, media: { ...audioOnly, codecs: 'g711' }, trustedNetwork: false },
}

/** The profile that a part of the configuration describes, but for the credentials. */
export function profileOf(written: ProfileConfig): Omit<RecorderProfile, 'credentials'> {
  const { match: _match, preset, credentials: _credentials, headers, metadata, media, ...over } = written
  const base = presets[preset]
  return {
    ...base,
    ...over,
    headers: headers === undefined ? base.headers : Object.entries(headers),
    metadata: { ...base.metadata, ...metadata },
    media: { ...base.media, ...media },
  }
}
