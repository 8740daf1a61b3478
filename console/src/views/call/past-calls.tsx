// The calls that are over, newest first, and those under way above them.

import { useState } from 'preact/hooks'
import type { CallRecordSummary } from '../../../../src/control/call-records/call-record-contract.ts'
import { recordVerdicts } from '../../../../src/control/call-records/record-verdicts.ts'
import type { TraceSummary } from '../../../../src/control/trace-contract.ts'
import { Nothing, Trouble } from '../../components/trouble.tsx'
import { offers } from '../../data/abilities.ts'
import { clockTime, duration, shortAddress } from '../../data/format.ts'
import { ApiError, get } from '../../data/http.ts'
import { useResource } from '../../data/resource.ts'
import { linkTo } from '../../router.ts'
import { Ticking } from '../live/call-card.tsx'
import { endWords, verdicts } from './record.tsx'

const PAGE = 100
const REFRESH_MS = 5_000

/** The page. */
export function PastCalls() {
  const hasRecords = offers('/api/call-records')
  const traces = useResource<{ items: TraceSummary[] }>(offers('/api/traces') ? '/api/traces' : undefined, REFRESH_MS)
  const traced = traces.value?.items.filter(({ endedAt }) => !hasRecords || endedAt === undefined) ?? []
  return (
    <>
      <h1>Calls of late</h1>
      <Trouble error={traces.error} onRetry={traces.reload} />
      {!hasRecords && traces.value?.items.length === 0 && <NoCalls />}
      {traced.length > 0 && (
        <ul class="log calls" aria-label={hasRecords ? 'Calls under way' : 'Calls, newest first'}>
          {traced.map((call) => (
            <Row key={call.callId} {...call} />
          ))}
        </ul>
      )}
      {hasRecords && <Records isAlone={traced.length === 0} />}
    </>
  )
}

function NoCalls() {
  return (
    <Nothing title="There was no call lately">
      <p>A call stays here for a while after its end, with its recordings, their ledgers and what was commanded.</p>
    </Nothing>
  )
}

function Records({ isAlone }: { isAlone: boolean }) {
  const [verdict, setVerdict] = useState('')
  const [draft, setDraft] = useState('')
  const [text, setText] = useState('')
  const query = new URLSearchParams({ limit: String(PAGE) })
  if (verdict !== '') query.set('verdict', verdict)
  if (text !== '') query.set('text', text)
  const path = `/api/call-records?${query}`
  const isFiltered = verdict !== '' || text !== ''
  return (
    <>
      <form
        class="filters form-row"
        onSubmit={(event) => {
          event.preventDefault()
          setText(draft.trim())
        }}
      >
        <label>
          What became of the recording
          <select value={verdict} onChange={(event) => setVerdict(event.currentTarget.value)}>
            <option value="">any</option>
            {recordVerdicts.map((one) => (
              <option key={one} value={one}>
                {verdicts[one][0]}
              </option>
            ))}
          </select>
        </label>
        <label>
          Party or id
          <input type="search" value={draft} onInput={(event) => setDraft(event.currentTarget.value)} />
        </label>
        <div class="commands">
          <button type="submit" class="primary">
            Show
          </button>
        </div>
      </form>
      <RecordList key={path} path={path} isFiltered={isFiltered} isAlone={isAlone} />
    </>
  )
}

function RecordList({ path, isFiltered, isAlone }: { path: string; isFiltered: boolean; isAlone: boolean }) {
  const first = useResource<{ items: CallRecordSummary[] }>(path, REFRESH_MS)
  const [older, setOlder] = useState<readonly CallRecordSummary[]>([])
  const [isAtEnd, setAtEnd] = useState(false)
  const [error, setError] = useState<ApiError>()
  const newest = first.value?.items ?? []
  const records = [...newest, ...older.filter(({ seq }) => seq < (newest.at(-1)?.seq ?? 0))]
  const last = records.at(-1)
  const more = async (before: number): Promise<void> => {
    try {
      const { items } = await get<{ items: CallRecordSummary[] }>(`${path}&before=${before}`)
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
      {first.value !== undefined && records.length === 0 && isFiltered && <Nothing title="No call is so" />}
      {first.value !== undefined && records.length === 0 && !isFiltered && isAlone && <NoCalls />}
      {first.value !== undefined && records.length === 0 && !isFiltered && !isAlone && (
        <p class="muted">No call has ended yet.</p>
      )}
      <ul class="log calls" aria-label="Calls that are over, newest first">
        {records.map((record) => (
          <Row key={record.seq} {...record} />
        ))}
      </ul>
      {last !== undefined && records.length >= PAGE && !isAtEnd && (
        <button type="button" onClick={() => void more(last.seq)}>
          Show older calls
        </button>
      )}
    </>
  )
}

function Row({ callId, startedAt, endedAt, from, to, end, verdict }: TraceSummary & Partial<CallRecordSummary>) {
  const [words, state] =
    verdict === undefined ? (endedAt === undefined ? ['under way', 'under-way'] : ['over', 'over']) : verdicts[verdict]
  return (
    <li>
      <time dateTime={startedAt}>{clockTime(startedAt)}</time>
      <a class="who" href={linkTo(['calls', callId])}>
        {from === undefined ? 'unknown' : shortAddress(from)} → {shortAddress(to)}
      </a>
      <span class="lasts" title={end === undefined ? undefined : endWords(end)}>
        {endedAt === undefined ? <Ticking since={startedAt} /> : duration(Date.parse(endedAt) - Date.parse(startedAt))}
      </span>
      <span class="state" data-state={state}>
        {words}
      </span>
    </li>
  )
}
