// When RTCP is sent and what time it says (RFC 3550 sections 4 and 6.3.1).

const MINIMUM_INTERVAL_MS = 5000
/** e - 3/2: makes up for timer reconsideration, which would settle below the intended average. */
const COMPENSATION = Math.E - 1.5
/** Seconds from 1900-01-01, the NTP era 0, to 1970-01-01. */
const NTP_UNIX_OFFSET_SECONDS = 2_208_988_800

/** Milliseconds until the next report; `random` is uniform in 0..1, `initial` halves the minimum for the first one. */
export function rtcpIntervalMs(random: number, initial = false, minimumMs = MINIMUM_INTERVAL_MS): number {
  return ((initial ? minimumMs / 2 : minimumMs) * (0.5 + random)) / COMPENSATION
}

/** NTP timestamp of a wall-clock time in ms since 1970: 32 bits of seconds, 32 bits of fraction. */
export function ntpFromWallMs(wallMs: number): { readonly seconds: number; readonly fraction: number } {
  const whole = Math.floor(wallMs / 1000)
  const fraction = Math.floor(((wallMs - whole * 1000) * 2 ** 32) / 1000)
  return { seconds: (whole + NTP_UNIX_OFFSET_SECONDS) % 2 ** 32, fraction: fraction >>> 0 }
}

/** Wall-clock time in ms since 1970 of an NTP timestamp; from 2036 on its seconds begin again at 0. */
export function wallMsFromNtp(seconds: number, fraction: number): number {
  const era = seconds < 2 ** 31 ? 2 ** 32 : 0
  return (seconds + era - NTP_UNIX_OFFSET_SECONDS) * 1000 + (fraction * 1000) / 2 ** 32
}
