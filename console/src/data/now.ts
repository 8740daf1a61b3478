// The time of day as a signal that ticks once a second.

import { signal } from '@preact/signals'

/** Milliseconds since 1970, newer each second. */
export const now = signal(Date.now())

window.setInterval(() => {
  if (document.visibilityState === 'visible') now.value = Date.now()
}, 1_000)
