// Search box and filters; what is chosen stands in the address.

import { useEffect, useRef, useState } from 'preact/hooks'
import type { FacetsView } from '../../../src/control/recordings/recording-contract.ts'
import { type Choices, type FilterName, filterNames, holds, lengths, refine, states, times, uploads } from './search.ts'

const SETTLE_MS = 200
/** Names of the metadata that are filters. */
const MOST_FIELDS = 6

type Place = { readonly place: URLSearchParams }
type Values = FacetsView['kinds']['state']

/** How many recordings would be left of each value; nothing as long as it is not known. */
type Counts = ReadonlyMap<string, number>

/** The search box and the filters; `facets` is what is known of the recordings that are found. */
export function Filters({ place, facets }: Place & { readonly facets: FacetsView | undefined }) {
  const { kinds, fields = [] } = facets ?? {}
  const tags = kinds?.tag ?? []
  const chosen = filterNames.filter((name) => name !== 'text' && place.has(name)).length
  return (
    <search class="refine">
      <TextFilter place={place} name="text" label="Search" hint="Name, number, id, or any word of the metadata" />
      <details open={chosen > 0 || matchMedia('(min-width: 761px)').matches}>
        <summary>Filters{chosen > 0 && ` (${chosen})`}</summary>
        <div class="filter-row">
          <ChoiceFilter place={place} name="state" label="State" choices={states} counts={stateCounts(kinds?.state)} />
          <ChoiceFilter place={place} name="time" label="Time" choices={times} />
          {place.get('time') === 'between' && (
            <>
              <DayFilter place={place} name="from" label="from" />
              <DayFilter place={place} name="to" label="to" />
            </>
          )}
          <ChoiceFilter place={place} name="length" label="Duration" choices={lengths} />
          <TextFilter place={place} name="party" label="Party" />
          <ValueFilter place={place} name="caller" label="Caller" values={kinds?.caller} />
          <ValueFilter place={place} name="called" label="Called" values={kinds?.called} />
          <TextFilter place={place} name="tag" label="Tag" offered={tags} />
          <ChoiceFilter place={place} name="held" label="Legal hold" choices={holds} counts={holdCounts(kinds?.held)} />
          <ChoiceFilter place={place} name="upload" label="Upload" choices={uploads} counts={countsOf(kinds?.upload)} />
          <ValueFilter place={place} name="day" label="Day (UTC)" values={kinds?.day} />
          <ValueFilter place={place} name="vendor" label="Product" values={kinds?.vendor} />
          <ValueFilter place={place} name="codec" label="Codec" values={kinds?.codec} />
          {fields
            .filter(isCommon)
            .slice(0, MOST_FIELDS)
            .map((field) => (
              <FieldFilter key={field.name} place={place} field={field} />
            ))}
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
        {facets?.isComplete === false && (
          <p class="muted">Counts are of the newest {facets.counted.toLocaleString()} that match.</p>
        )}
      </details>
    </search>
  )
}

type Field = Place & { readonly name: FilterName; readonly label: string }

/** Values that recordings have, with how many have each; nothing where none has any. */
function ValueFilter({ place, name, label, values = [] }: Field & { values: Values | undefined }) {
  const chosen = place.get(name)
  const choices = Object.fromEntries([...(chosen ? [chosen] : []), ...values.map(({ value }) => value)].map(same))
  if (Object.keys(choices).length === 0) return null
  return <ChoiceFilter place={place} name={name} label={label} choices={choices} counts={countsOf(values)} />
}

/** The values of a name of the metadata; one name is a filter at a time. */
function FieldFilter({ place, field }: Place & { field: FacetsView['fields'][number] }) {
  const chosen = place.get('custom') ?? ''
  const own = (value: string): string => `${field.name}=${value}`
  const isOwn = chosen.toLowerCase().startsWith(own('').toLowerCase())
  const values = [
    ...new Set([...(isOwn ? [chosen.slice(own('').length)] : []), ...field.values.map(({ value }) => value)]),
  ]
  if (values.length === 0 || (chosen !== '' && !isOwn)) return null
  const choices = Object.fromEntries(values.map((value) => [own(value), value]))
  const counts = new Map(field.values.map(({ value, count }) => [own(value), count]))
  return <ChoiceFilter place={place} name="custom" label={field.name} choices={choices} counts={counts} />
}

function ChoiceFilter({ place, name, label, choices, counts }: Field & { choices: Choices; counts?: Counts }) {
  const value = place.get(name) ?? ''
  return (
    <label class="pick" data-chosen={value !== ''}>
      <span>{label}</span>
      <select value={value} onChange={(event) => refine(place, { [name]: event.currentTarget.value })}>
        <option value="">any</option>
        {Object.entries(choices).map(([choice, word]) => (
          <option key={choice} value={choice}>
            {counts?.has(choice) ? `${word} (${counts.get(choice)?.toLocaleString()})` : word}
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

function TextFilter({ place, name, label, hint, offered }: Field & { hint?: string; offered?: Values }) {
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
        {...(offered === undefined ? {} : { list: `offered-${name}` })}
        onInput={(event) => type(event.currentTarget.value)}
      />
      {offered !== undefined && (
        <datalist id={`offered-${name}`}>
          {offered.map(({ value: one, count }) => (
            <option key={one} value={one} label={`${one} (${count.toLocaleString()})`} />
          ))}
        </datalist>
      )}
    </label>
  )
}

/** A name whose values are all different, as ids are, is no filter; the search finds them. */
function isCommon({ values }: FacetsView['fields'][number]): boolean {
  return (values[0]?.count ?? 0) > 1
}

function same(value: string): readonly [string, string] {
  return [value, value]
}

function countsOf(values: Values = []): Counts {
  return new Map(values.map(({ value, count }) => [value, count]))
}

/** Of `no-audio` all its causes together. */
function stateCounts(values: Values = []): Counts {
  const counts = new Map(countsOf(values))
  for (const { value, count } of values) {
    const [state = '', cause] = value.split('.', 2)
    if (cause !== undefined) counts.set(state, (counts.get(state) ?? 0) + count)
  }
  return counts
}

function holdCounts(values: Values = []): Counts {
  return new Map(values.map(({ value, count }) => [String(value === 'yes'), count]))
}
