// Search box and filters; what is chosen stands in the address.

import { useEffect, useRef, useState } from 'preact/hooks'
import { type Choices, type FilterName, filterNames, holds, lengths, refine, states, times, uploads } from './search.ts'

const SETTLE_MS = 200

type Place = { readonly place: URLSearchParams }

/** The search box and the filters. */
export function Filters({ place }: Place) {
  const chosen = filterNames.filter((name) => name !== 'text' && place.has(name)).length
  return (
    <search class="refine">
      <TextFilter place={place} name="text" label="Search" hint="Name, number, id, or any word of the metadata" />
      <details open={chosen > 0 || matchMedia('(min-width: 761px)').matches}>
        <summary>Filters{chosen > 0 && ` (${chosen})`}</summary>
        <div class="filter-row">
          <ChoiceFilter place={place} name="state" label="State" choices={states} />
          <ChoiceFilter place={place} name="time" label="Time" choices={times} />
          {place.get('time') === 'between' && (
            <>
              <DayFilter place={place} name="from" label="from" />
              <DayFilter place={place} name="to" label="to" />
            </>
          )}
          <ChoiceFilter place={place} name="length" label="Duration" choices={lengths} />
          <TextFilter place={place} name="party" label="Party" />
          <TextFilter place={place} name="tag" label="Tag" />
          <ChoiceFilter place={place} name="held" label="Legal hold" choices={holds} />
          <ChoiceFilter place={place} name="upload" label="Upload" choices={uploads} />
          {chosen > 0 && (
            <button
              type="button"
              class="quiet"
              onClick={() => refine(place, Object.fromEntries(filterNames.map((name) => [name, ''])))}
            >
              Clear all
            </button>
          )}
        </div>
      </details>
    </search>
  )
}

type Field = Place & { readonly name: FilterName; readonly label: string }

function ChoiceFilter({ place, name, label, choices }: Field & { choices: Choices }) {
  const value = place.get(name) ?? ''
  return (
    <label class="pick" data-chosen={value !== ''}>
      <span>{label}</span>
      <select value={value} onChange={(event) => refine(place, { [name]: event.currentTarget.value })}>
        <option value="">any</option>
        {Object.entries(choices).map(([choice, word]) => (
          <option key={choice} value={choice}>
            {word}
          </option>
        ))}
      </select>
    </label>
  )
}

function DayFilter({ place, name, label }: Field) {
  const value = place.get(name) ?? ''
  return (
    <label class="pick" data-chosen={value !== ''}>
      <span>{label}</span>
      <input type="date" value={value} onChange={(event) => refine(place, { [name]: event.currentTarget.value })} />
    </label>
  )
}

function TextFilter({ place, name, label, hint }: Field & { hint?: string }) {
  const value = place.get(name) ?? ''
  const [typed, setTyped] = useState(value)
  const timer = useRef<number | undefined>(undefined)
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    // What is being typed goes before what the address says.
    if (document.activeElement !== field.current) setTyped(value)
  }, [value])
  useEffect(() => () => window.clearTimeout(timer.current), [])
  const type = (text: string): void => {
    setTyped(text)
    window.clearTimeout(timer.current)
    timer.current = window.setTimeout(() => refine(new URLSearchParams(place), { [name]: text.trim() }), SETTLE_MS)
  }
  return (
    <label class={name === 'text' ? 'search-box' : 'pick'} data-chosen={value !== ''}>
      <span>{label}</span>
      <input
        ref={field}
        type="search"
        value={typed}
        placeholder={hint}
        maxLength={256}
        onInput={(event) => type(event.currentTarget.value)}
      />
    </label>
  )
}
