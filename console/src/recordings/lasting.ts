// What was known last, while what is asked for now is under way.

import { useRef } from 'preact/hooks'

/** The value, or the last one that there was. */
export function useLasting<T>(value: T | undefined): T | undefined {
  const last = useRef(value)
  if (value !== undefined) last.current = value
  return last.current
}
