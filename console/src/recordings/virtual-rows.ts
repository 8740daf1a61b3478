// Which rows of a long list are near the window; the others need no elements.

import {
  observeWindowOffset,
  observeWindowRect,
  type VirtualItem,
  Virtualizer,
  windowScroll,
} from '@tanstack/virtual-core'
import type { RefObject } from 'preact'
import { useLayoutEffect, useState } from 'preact/hooks'

const OVERSCAN = 8

/** Rows of `rowPx` each below the top of `list`, which the window scrolls. */
export function useVirtualRows(
  list: RefObject<HTMLElement | null>,
  count: number,
  rowPx: number,
): { readonly rows: readonly VirtualItem[]; readonly heightPx: number; readonly offsetPx: number } {
  const [, draw] = useState(0)
  const [offsetPx, setOffset] = useState(0)
  const options = {
    count,
    estimateSize: () => rowPx,
    scrollMargin: offsetPx,
    overscan: OVERSCAN,
    getScrollElement: () => window,
    observeElementRect: observeWindowRect,
    observeElementOffset: observeWindowOffset,
    scrollToFn: windowScroll,
    onChange: () => draw((before) => before + 1),
  }
  const [virtualizer] = useState(() => new Virtualizer<Window, HTMLElement>(options))
  virtualizer.setOptions(options)
  useLayoutEffect(() => virtualizer._didMount(), [virtualizer])
  useLayoutEffect(() => virtualizer.measure(), [virtualizer, rowPx])
  useLayoutEffect(() => {
    virtualizer._willUpdate()
    if (list.current !== null) setOffset(Math.round(list.current.getBoundingClientRect().top + window.scrollY))
  })
  return { rows: virtualizer.getVirtualItems(), heightPx: virtualizer.getTotalSize(), offsetPx }
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
