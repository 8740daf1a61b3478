// Who did what, when, to what, from where, and what came of it.

import { useState } from 'preact/hooks'
import type { AuditEntry } from '../../../src/control/audit/audit-entry.ts'
import { Nothing, Trouble } from '../components/trouble.tsx'
import { clockTime } from '../data/format.ts'
import { ApiError, get } from '../data/http.ts'
import { useResource } from '../data/resource.ts'
import { linkTo } from '../router.ts'

const PAGE = 100

interface Filter {
  readonly name: string
  readonly action: string
  readonly target: string
  readonly since: string
  readonly until: string
}

const everything: Filter = { name: '', action: '', target: '', since: '', until: '' }

/** The page. */
export function AuditView() {
  const [filter, setFilter] = useState(everything)
  const path = pathOf(filter)
  return (
    <>
      <h1>Audit log</h1>
      <FilterForm filter={filter} onChange={setFilter} />
      <Entries key={path} path={path} isFiltered={filter !== everything} />
    </>
  )
}

const fields: readonly (readonly [keyof Filter, label: string, placeholder: string])[] = [
  ['name', 'Who', 'account or token'],
  ['action', 'Action', 'recording.play or recording.*'],
  ['target', 'What it was done to', 'id of a call, recording, recorder, token'],
]

function FilterForm({ filter, onChange }: { filter: Filter; onChange: (filter: Filter) => void }) {
  const [draft, setDraft] = useState(filter)
  return (
    <form
      class="filters form-row"
      onSubmit={(event) => {
        event.preventDefault()
        onChange(draft)
      }}
    >
      {fields.map(([name, label, placeholder]) => (
        <label key={name}>
          {label}
          <input
            value={draft[name]}
            placeholder={placeholder}
            onInput={(event) => setDraft({ ...draft, [name]: event.currentTarget.value.trim() })}
          />
        </label>
      ))}
      {(['since', 'until'] as const).map((name) => (
        <label key={name}>
          {name === 'since' ? 'From' : 'To'}
          <input
            type="datetime-local"
            value={draft[name]}
            onInput={(event) => setDraft({ ...draft, [name]: event.currentTarget.value })}
          />
        </label>
      ))}
      <div class="commands">
        <button type="submit" class="primary">
          Show
        </button>
        <button
          type="button"
          onClick={() => {
            setDraft(everything)
            onChange(everything)
          }}
        >
          Show all
        </button>
      </div>
    </form>
  )
}

function Entries({ path, isFiltered }: { path: string; isFiltered: boolean }) {
  const first = useResource<{ items: AuditEntry[] }>(path)
  const [older, setOlder] = useState<readonly AuditEntry[]>([])
  const [isAtEnd, setAtEnd] = useState(false)
  const [error, setError] = useState<ApiError>()
  const entries = [...(first.value?.items ?? []), ...older]
  const last = entries.at(-1)
  const more = async (before: number): Promise<void> => {
    try {
      const { items } = await get<{ items: AuditEntry[] }>(`${path}&before=${before}`)
      setOlder([...older, ...items])
      setAtEnd(items.length < PAGE)
      setError(undefined)
    } catch (cause) {
      setError(cause instanceof ApiError ? cause : new ApiError(0, 'fault', String(cause)))
    }
  }
  return (
    <>
      <Trouble error={first.error ?? error} onRetry={first.reload} />
      {first.value !== undefined && entries.length === 0 && (
        <Nothing title={isFiltered ? 'No entry is so' : 'Nothing has been done yet'} />
      )}
      <ol class="log" aria-label="Entries, newest first">
        {entries.map((entry) => (
          <Entry key={entry.seq} entry={entry} />
        ))}
      </ol>
      {last !== undefined && entries.length >= PAGE && !isAtEnd && (
        <button type="button" onClick={() => void more(last.seq)}>
          Show older entries
        </button>
      )}
    </>
  )
}

function Entry({ entry }: { entry: AuditEntry }) {
  const { time, who, from, action, target, detail, outcome, status, seq } = entry
  const said = [...Object.entries(target), ...Object.entries(detail ?? {})]
  return (
    <li>
      <time dateTime={time}>{clockTime(time)}</time>
      <span class="who">
        <strong>{who.name === '' ? 'nobody signed in' : who.name}</strong>{' '}
        <span class="muted">
          {who.kind === 'token' ? 'token, ' : ''}
          {from}
        </span>
      </span>
      <code class="action">{action}</code>
      <span class="what">
        {said.map(([name, value]) => (
          <span key={name}>
            {name} <Said name={name} value={value} />
          </span>
        ))}
      </span>
      <span class="state" data-outcome={outcome} title={`HTTP ${status}, entry ${seq}`}>
        {outcome}
      </span>
    </li>
  )
}

/** What leads to a page leads there. */
const pages: Readonly<Record<string, string>> = { callId: 'calls', recordingId: 'recordings' }

function Said({ name, value }: { name: string; value: unknown }) {
  const text = <code>{typeof value === 'string' ? value : JSON.stringify(value)}</code>
  const page = pages[name]
  return page === undefined || typeof value !== 'string' ? text : <a href={linkTo([page, value])}>{text}</a>
}

function pathOf({ since, until, ...texts }: Filter): string {
  const query = new URLSearchParams({ limit: String(PAGE) })
  for (const [name, value] of Object.entries(texts)) if (value !== '') query.set(name, value)
  if (since !== '') query.set('since', new Date(since).toISOString())
  if (until !== '') query.set('until', new Date(until).toISOString())
  return `/api/audit?${query}`
}
