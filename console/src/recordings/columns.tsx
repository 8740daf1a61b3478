// Columns out of the metadata: any value that a client sends beside the standard ones.

import type { RecordingSummary } from '../../../src/control/recordings/recording-contract.ts'
import { refine } from './search.ts'

/** Rows that are looked at for values that could be a column. */
const LOOKED_AT = 300
const MOST_OFFERED = 40

/** The columns that the address names. */
export function chosenColumns(place: URLSearchParams): string[] {
  return (place.get('columns') ?? '').split(',').filter(Boolean)
}

/** Offers the values of the metadata of what is listed. */
export function ColumnChoice({ place, items }: { place: URLSearchParams; items: readonly RecordingSummary[] }) {
  const chosen = chosenColumns(place)
  const seen = items.slice(0, LOOKED_AT).flatMap(({ custom }) => Object.keys(custom))
  const names = [...new Set([...chosen, ...seen])].filter((name) => !name.includes(',')).slice(0, MOST_OFFERED)
  if (names.length === 0) return null
  const toggle = (name: string): void => {
    const columns = chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name]
    refine(place, { columns: columns.join(',') })
  }
  return (
    <details class="columns">
      <summary>Columns</summary>
      <fieldset>
        <legend>From the metadata</legend>
        {names.map((name) => (
          <label key={name}>
            <input type="checkbox" checked={chosen.includes(name)} onChange={() => toggle(name)} /> {name}
          </label>
        ))}
      </fieldset>
    </details>
  )
}
