// UTC times as ISO 8601 text, by arithmetic: the store must not ask the machine for the time, so it uses no Date.

const DAY_MS = 86_400_000
const SHAPE = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})Z$/

/** `YYYY-MM-DDThh:mm:ss.sssZ` of milliseconds since 1970-01-01 UTC, for years 1970 to 9999. */
export function isoTime(wallMs: number): string {
  const whole = Math.floor(wallMs)
  const day = Math.floor(whole / DAY_MS)
  const rest = whole - day * DAY_MS
  const clock = [rest / 3_600_000, (rest / 60_000) % 60, (rest / 1000) % 60].map((part) => digits(Math.floor(part), 2))
  return `${dateOfDay(day)}T${clock.join(':')}.${digits(rest % 1000, 3)}Z`
}

/** Milliseconds since 1970-01-01 UTC of text that `isoTime` made; 0 for any other text. */
export function msOfIsoTime(text: string): number {
  const match = SHAPE.exec(text)
  if (match === null) return 0
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0] = match.slice(1).map(Number)
  return dayOfDate(year, month, day) * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 + ms
}

// Days are counted in years that begin in March, so that the leap day is the last one.
function dayOfDate(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  return (
    365 * marchYear +
    Math.floor(marchYear / 4) -
    Math.floor(marchYear / 100) +
    Math.floor(marchYear / 400) +
    dayOfYear -
    719_468
  )
}

function dateOfDay(day: number): string {
  let year = 1970 + Math.floor(day / 365.2425)
  while (dayOfDate(year + 1, 1, 1) <= day) year += 1
  while (dayOfDate(year, 1, 1) > day) year -= 1
  let month = 12
  while (dayOfDate(year, month, 1) > day) month -= 1
  return `${digits(year, 4)}-${digits(month, 2)}-${digits(day - dayOfDate(year, month, 1) + 1, 2)}`
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, '0')
}
