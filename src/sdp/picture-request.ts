// How the sender of video may be asked for a whole picture: the lines of a=rtcp-fb that say so (RFC 4585 section 4.2, RFC 5104 section 7.1).

import type { SdpAttribute, SdpMedia } from './session-description.ts'

/** `full-intra`: FIR (RFC 5104 section 4.3.1); `picture-loss`: PLI (RFC 4585 section 6.3.1). */
export type PictureRequest = 'full-intra' | 'picture-loss'

/** As who sends video offers it, for all of its formats. */
export const offeredPictureRequests: readonly SdpAttribute[] = ['ccm fir', 'nack pli'].map((request) => ({
  name: 'rtcp-fb',
  value: `* ${request}`,
}))

const REQUEST = /^(\*|\d{1,3})\s+(ccm\s+fir|nack\s+pli)\s*$/i

/** The lines that offer it for one of these payload types, to be answered as they stand. */
export function pictureRequestAttributes(media: SdpMedia, payloadTypes: readonly number[]): SdpAttribute[] {
  return media.attributes.flatMap(({ name, value = '' }) => {
    const format = name === 'rtcp-fb' ? REQUEST.exec(value.trim())?.[1] : undefined
    const isOurs = format === '*' || payloadTypes.some((payloadType) => format === `${payloadType}`)
    return format !== undefined && isOurs ? [{ name, value: value.trim() }] : []
  })
}

/** What to ask with: FIR, made for who begins to receive, where both are agreed; undefined: neither is. */
export function pictureRequestOf(media: SdpMedia, payloadTypes: readonly number[]): PictureRequest | undefined {
  const lines = pictureRequestAttributes(media, payloadTypes)
  if (lines.some(({ value = '' }) => /fir$/i.test(value))) return 'full-intra'
  return lines.length > 0 ? 'picture-loss' : undefined
}
