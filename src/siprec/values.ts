// Values inside metadata: ids (RFC 7865 section 6.10), times (RFC 3339), session identifiers (RFC 7989).

const DAY_MS = 86_400_000
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const TIME = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d{1,12})?([Zz]|[+-]\d\d:?\d\d)?$/

/** A time as far as it could be read; `fault` names what was repaired. */
export interface ReadTime {
  /** RFC 3339 text. */
  readonly text: string
  /** Milliseconds since 1970-01-01 UTC. */
  readonly ms: number
  readonly fault?: string
}

/** Metadata id of a UUID: standard base64 of its 16 bytes, padded. */
export function uuidBase64(bytes: Uint8Array): string {
  let text = ''
  for (let index = 0; index < bytes.length; index += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(index, index + 3)
    text += BASE64[a >> 2]! + BASE64[((a & 3) << 4) | (b >> 4)]!
    text += index + 1 < bytes.length ? BASE64[((b & 15) << 2) | (c >> 6)]! : '='
    text += index + 2 < bytes.length ? BASE64[c & 63]! : '='
  }
  return text
}

/** Whether the text is base64 of 16 bytes, as RFC 7865 wants ids. */
export function isUuidBase64(text: string): boolean {
  return /^[A-Za-z0-9+/]{21}[AQgw]==$/.test(text)
}

/** Whether the text is an RFC 7989 pair of session identifiers. */
export function isSipSessionId(text: string): boolean {
  return /^[0-9a-f]{32};remote=[0-9a-f]{32}$/.test(text)
}

/** UTC time `YYYY-MM-DDThh:mm:ss.sssZ` of milliseconds since 1970-01-01 UTC; years 0000 to 9999. */
export function rfc3339(ms: number): string {
  const whole = Math.floor(ms)
  const day = Math.floor(whole / DAY_MS)
  const rest = whole - day * DAY_MS
  const [year, month, dayOfMonth] = civilFromDays(day)
  const two = (value: number): string => String(value).padStart(2, '0')
  const clock = [rest / 3_600_000, (rest / 60_000) % 60, (rest / 1000) % 60].map((value) => two(Math.floor(value)))
  const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(dayOfMonth)}`
  return `${date}T${clock.join(':')}.${String(rest % 1000).padStart(3, '0')}Z`
}

/** Reads a time, tolerating a missing zone (taken as UTC), `+0300`, a blank for T and lower case; undefined if it is none. */
export function readTime(text: string): ReadTime | undefined {
  const match = TIME.exec(text)
  if (match === null) return undefined
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '', fraction = '', zone = 'none'] = match
  const offsetMinutes = zoneMinutes(zone)
  const isDate = +month >= 1 && +month <= 12 && +day >= 1 && +day <= daysInMonth(+year, +month)
  if (!isDate || +hour > 23 || +minute > 59 || +second > 60 || offsetMinutes === undefined) return undefined
  const clockMs = (+hour * 60 + +minute - offsetMinutes) * 60_000 + +second * 1000 + Number(`0${fraction}`) * 1000
  const ms = daysFromCivil(+year, +month, +day) * DAY_MS + clockMs
  const fixedZone = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase()
  const fixed = `${year}-${month}-${day}T${hour}:${minute}:${second}${fraction}${zone === 'none' ? 'Z' : fixedZone}`
  if (fixed === text) return { text, ms }
  return { text: fixed, ms, fault: zone === 'none' ? 'time without zone' : 'time not of RFC 3339 form' }
}

/** Milliseconds since 1970-01-01 UTC of a time that `readTime` can read. */
export function timeMs(text: string): number | undefined {
  return readTime(text)?.ms
}

function zoneMinutes(zone: string): number | undefined {
  if (zone === 'none' || zone === 'Z' || zone === 'z') return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(-2))
  if (hours > 23 || minutes > 59) return undefined
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

// Days since 1970-01-01 in the proleptic Gregorian calendar; years are counted from March, so that leap days come last.
function daysFromCivil(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year
  const era = Math.floor(marchYear / 400)
  const yearOfEra = marchYear - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
}

function civilFromDays(days: number): [year: number, month: number, day: number] {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const leapDays = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096)
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day]
}
