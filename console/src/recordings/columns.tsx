// Columns out of the metadata: any value that a client sends beside the standard ones.

import type { FacetsView } from '../../../src/control/recordings/recording-contract.ts'
import { refine } from './search.ts'

const KEPT = 'siprec.columns'
/** Stands in the address where somebody wants no column, though this browser remembers some. */
const NONE = '-'

/** The columns that the address names, else those that this browser remembers. */
export function chosenColumns(place: URLSearchParams): string[] {
  const named = place.get('columns') ?? remembered() ?? ''
  return named.split(',').filter((name) => name !== '' && name !== NONE)
}

/** Offers the names that the metadata of what is found has, with how many recordings have each. */
export function ColumnChoice({ place, facets }: { place: URLSearchParams; facets: FacetsView | undefined }) {
  const chosen = chosenColumns(place)
  const counts = new Map((facets?.fields ?? []).map(({ name, count }) => [name, count]))
  const names = [...new Set([...chosen, ...counts.keys()])].filter((name) => !name.includes(','))
  if (names.length === 0) return null
  const toggle = (name: string): void => {
    const columns = chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name]
    remember(columns.join(','))
    refine(place, { columns: columns.join(',') || NONE })
  }
  return (
    <details class="columns">
      <summary>Columns</summary>
      <fieldset>
        <legend>From the metadata</legend>
        {names.map((name) => (
          <label key={name}>
            <input type="checkbox" checked={chosen.includes(name)} onChange={() => toggle(name)} /> {name}
            {counts.has(name) && <span class="muted"> ({counts.get(name)?.toLocaleString()})</span>}
          </label>
        ))}
      </fieldset>
    </details>
  )
}

function remembered(): string | null {
  try {
    return localStorage.getItem(KEPT)
  } catch {
    return null
  }
}

function remember(columns: string): void {
  try {
    localStorage.setItem(KEPT, columns)
  } catch {
    // A browser that keeps nothing has them in the address alone.
  }
}
