// Times and durations as people read them, in the reader's own zone and language.

const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const date = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })

/** `14:03:22` today, with the date before it on other days. */
export function clockTime(iso: string, now = new Date()): string {
  const at = new Date(iso)
  return at.toDateString() === now.toDateString() ? time.format(at) : `${date.format(at)} ${time.format(at)}`
}

/** `0:07`, `12:30`, `1:02:03`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const two = (value: number): string => String(value).padStart(2, '0')
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor(seconds / 60) % 60
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`
}

/** A SIP address as people read it: without scheme, parameters and brackets. */
export function shortAddress(uri: string): string {
  return uri
    .replace(/^<|>$/g, '')
    .replace(/^sips?:/i, '')
    .replace(/[;?].*$/, '')
}

/** The same by its user part, where there is one. */
export function nameOf(uri: string): string {
  const address = shortAddress(uri)
  return address.includes('@') ? address.slice(0, address.lastIndexOf('@')) : address
}
