// A list of any length of which only what is in sight is there; it scrolls with the page.

import {
  measureElement,
  observeWindowOffset,
  observeWindowRect,
  Virtualizer,
  windowScroll,
} from '@tanstack/virtual-core'
import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks'

/** What a list shows. */
interface VirtualListProps<Item> {
  readonly label: string
  readonly items: readonly Item[]
  readonly keyOf: (item: Item) => string
  /** Height of an item that was not seen yet, in pixels. */
  readonly estimate: number
  readonly children: (item: Item) => ComponentChildren
}

/** The list; items may have any height, and may change it. */
export function VirtualList<Item>({ label, items, keyOf, estimate, children }: VirtualListProps<Item>) {
  const list = useRef<HTMLUListElement>(null)
  const [, redraw] = useReducer((turn: number) => turn + 1, 0)
  const [virtual] = useState(() => new Virtualizer<Window, HTMLLIElement>(options()))

  function options() {
    return {
      count: items.length,
      getScrollElement: () => window,
      estimateSize: () => estimate,
      getItemKey: (index: number) => {
        const item = items[index]
        return item === undefined ? index : keyOf(item)
      },
      observeElementRect: observeWindowRect,
      observeElementOffset: observeWindowOffset,
      scrollToFn: windowScroll,
      measureElement,
      overscan: 4,
      gap: 8,
      scrollMargin: list.current?.offsetTop ?? 0,
      initialRect: { width: window.innerWidth, height: window.innerHeight },
      onChange: () => redraw(undefined),
    }
  }

  virtual.setOptions({ ...virtual.options, ...options() })
  useLayoutEffect(() => virtual._didMount(), [virtual])
  useLayoutEffect(() => virtual._willUpdate())
  const margin = virtual.options.scrollMargin
  return (
    <ul ref={list} class="virtual" aria-label={label} style={{ height: `${virtual.getTotalSize()}px` }}>
      {virtual.getVirtualItems().map(({ key, index, start }) => {
        const item = items[index]
        if (item === undefined) return null
        return (
          <li
            key={key}
            ref={virtual.measureElement}
            data-index={index}
            aria-setsize={items.length}
            aria-posinset={index + 1}
            style={{ transform: `translateY(${start - margin}px)` }}
          >
            {children(item)}
          </li>
        )
      })}
    </ul>
  )
}
