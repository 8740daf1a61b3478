// Which rows of a long list are near the window; the others need no elements. All rows are of one height, so it is arithmetic.

import type { RefObject } from 'preact'
import { useLayoutEffect, useState } from 'preact/hooks'

/** Rows that are kept ready before and behind those in sight. */
const AROUND = 8

/** Rows that need elements: from `first` on, before `end`. */
export interface RowRange {
  readonly first: number
  readonly end: number
}

/** Rows of `rowPx` each from the top of `list` on, which the window scrolls. */
export function useVirtualRows(list: RefObject<HTMLElement | null>, count: number, rowPx: number): RowRange {
  const [range, setRange] = useState<RowRange>({ first: 0, end: 0 })
  useLayoutEffect(() => {
    let topPx = 0
    const choose = (): void => {
      const seen = Math.floor((window.scrollY - topPx) / rowPx)
      const first = Math.max(0, Math.min(count, seen - AROUND))
      const end = Math.min(count, Math.max(0, seen) + Math.ceil(window.innerHeight / rowPx) + AROUND)
      setRange((before) => (before.first === first && before.end === end ? before : { first, end }))
    }
    // Where the list begins is asked for when something above it may have moved it, and never while it scrolls.
    const measure = (): void => {
      if (list.current !== null) topPx = list.current.getBoundingClientRect().top + window.scrollY
      choose()
    }
    measure()
    const resizes = new ResizeObserver(measure)
    resizes.observe(document.body)
    addEventListener('scroll', choose, { passive: true })
    addEventListener('resize', measure)
    return () => {
      resizes.disconnect()
      removeEventListener('scroll', choose)
      removeEventListener('resize', measure)
    }
  }, [list, count, rowPx])
  return range
}

/** Whether the window is as narrow as a telephone. */
export function useIsNarrow(): boolean {
  const [query] = useState(() => matchMedia('(max-width: 760px)'))
  const [isNarrow, setNarrow] = useState(query.matches)
  useLayoutEffect(() => {
    const change = (): void => setNarrow(query.matches)
    query.addEventListener('change', change)
    return () => query.removeEventListener('change', change)
  }, [query])
  return isNarrow
}
