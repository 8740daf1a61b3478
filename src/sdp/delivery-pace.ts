// `a=x-delivery-pace`, an attribute of ours: a recording that was kept is delivered so many times faster than it was made.

import type { SdpAttribute, SdpMedia } from './session-description.ts'

const NAME = 'x-delivery-pace'

/** The attribute of a stream that is delivered at `pace`, a whole number above 1. */
export function deliveryPaceAttribute(pace: number): SdpAttribute {
  return { name: NAME, value: `${pace}` }
}

/** The pace of a stream that is delivered; undefined when it is live, or says nothing sensible. */
export function deliveryPaceOf({ attributes }: SdpMedia): number | undefined {
  const value = attributes.find(({ name }) => name === NAME)?.value ?? ''
  return /^[1-9]\d?$/.test(value) && value !== '1' ? Number(value) : undefined
}
