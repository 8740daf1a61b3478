// Which bodies of an UPDATE are offers: others are no glare and may cross an offer of ours (RFC 3311 section 5.2).

/** Whether a body of this type may be an offer or hold one; absent means no body. */
export function mayHoldOffer(contentType: string | undefined): boolean {
  return contentType !== undefined && /^\s*(application\/sdp|multipart\/)/i.test(contentType)
}
