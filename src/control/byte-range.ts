// Range requests for one representation (RFC 9110 section 14).

/** What a Range header asks for: the whole, one part (both ends included), or nothing there is. */
export type ByteRange =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly start: number; readonly end: number }
  | { readonly kind: 'unsatisfiable' }

const WHOLE: ByteRange = { kind: 'whole' }

/** Resolves a Range header against a size; several ranges, other units and broken syntax count as no Range at all. */
export function resolveRange(header: string | undefined, sizeBytes: number): ByteRange {
  const match = /^bytes=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/i.exec(header ?? '')
  if (match === null) return WHOLE
  const [first = '', last = ''] = match.slice(1)
  if (first === '') return last === '' ? WHOLE : suffix(Number(last), sizeBytes)
  const start = Number(first)
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1)
  if (last !== '' && Number(last) < start) return WHOLE
  return start >= sizeBytes ? { kind: 'unsatisfiable' } : { kind: 'part', start, end }
}

function suffix(lengthBytes: number, sizeBytes: number): ByteRange {
  if (lengthBytes === 0 || sizeBytes === 0) return { kind: 'unsatisfiable' }
  return { kind: 'part', start: Math.max(0, sizeBytes - lengthBytes), end: sizeBytes - 1 }
}
