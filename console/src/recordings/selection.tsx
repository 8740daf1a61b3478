// Recordings that are chosen to be taken away in one archive: by hand, or all that are found.

import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { may, offers } from '../data/abilities.ts'

/** As many as one archive may have: named by hand, and found by a search. */
const MOST_NAMED = 200
const MOST_FOUND = 1000

/** Whether recordings are being chosen; the list shows boxes instead of play buttons then. */
export const isSelecting = signal(false)
const selected = signal<ReadonlySet<string>>(new Set())

/** A box of the list. */
export function SelectBox({ recordingId, who }: { recordingId: string; who: string }) {
  const isChosen = selected.value.has(recordingId)
  const toggle = (): void => {
    const changed = new Set(selected.value)
    if (!changed.delete(recordingId)) changed.add(recordingId)
    selected.value = changed
  }
  return (
    <input
      type="checkbox"
      aria-label={`Select ${who}`}
      checked={isChosen}
      disabled={!isChosen && selected.value.size >= MOST_NAMED}
      onChange={toggle}
    />
  )
}

/** Begins and ends choosing, and exports; `query` finds what is listed, `found` is how many there are, where that is known. */
export function ExportBar({ query, found }: { query: string; found: number | undefined }) {
  if (!may('recordings:play') || !offers('/api/recordings/archive')) return null
  const toggle = (): void => {
    isSelecting.value = !isSelecting.value
    selected.value = new Set()
  }
  const ids = [...selected.value]
  return (
    <div class="export-bar">
      <button type="button" aria-pressed={isSelecting.value} onClick={toggle}>
        {isSelecting.value ? 'Done' : 'Select'}
      </button>
      {isSelecting.value && (
        <>
          <Archive count={ids.length} query={ids.map((id) => `recording=${encodeURIComponent(id)}`).join('&')}>
            Export {ids.length} selected
          </Archive>
          <Archive count={found !== undefined && found <= MOST_FOUND ? found : 0} query={query}>
            {found === undefined || found > MOST_FOUND
              ? `Export all: at most ${MOST_FOUND.toLocaleString()}`
              : `Export all ${found}`}
          </Archive>
        </>
      )}
    </div>
  )
}

function Archive({ count, query, children }: { count: number; query: string; children: ComponentChildren }) {
  if (count === 0) {
    return (
      <button type="button" disabled>
        {children}
      </button>
    )
  }
  return (
    <a class="button" href={`/api/recordings/archive?${query}`} download="recordings.tar">
      {children}
    </a>
  )
}
