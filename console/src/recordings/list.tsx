// The list of recordings: any number of them, with a column for each value of the metadata that is wanted.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { FacetsView, RecordingSummary } from '../../../src/control/recordings/recording-contract.ts'
import { Icon } from '../components/icon.tsx'
import { Nothing, Trouble } from '../components/trouble.tsx'
import { may } from '../data/abilities.ts'
import { clockTime, duration } from '../data/format.ts'
import { useResource } from '../data/resource.ts'
import { play, playing } from '../player/playing.ts'
import { linkTo } from '../router.ts'
import { ColumnChoice, chosenColumns } from './columns.tsx'
import { Filters } from './filters.tsx'
import { useLasting } from './lasting.ts'
import { RecordingPages } from './pages.ts'
import { apiQuery, filterNames } from './search.ts'
import { ExportBar, isSelecting, SelectBox } from './selection.tsx'
import { useIsNarrow, useVirtualRows } from './virtual-rows.ts'
import { partiesOf, type Standing, standing, uploadStanding } from './words.ts'

const REFRESH_MS = 5000
const ROW_PX = 60
const NARROW_ROW_PX = 108
/** Rows from the end at which the next page is asked for. */
const AHEAD = 300

/** Search, filters, and what matches. */
export function RecordingList({ place }: { place: URLSearchParams }) {
  const [pages] = useState(() => new RecordingPages())
  const query = apiQuery(place)
  useEffect(() => {
    void pages.search(query)
    const timer = window.setInterval(() => {
      if (document.visibilityState === 'visible') void pages.refresh()
    }, REFRESH_MS)
    return () => {
      window.clearInterval(timer)
      pages.close()
    }
  }, [pages, query])
  const facets = useLasting(useResource<FacetsView>(`/api/recordings/facets?${query}`).value)
  const again = (): void => void pages.search(query)
  const showNew = (): void => {
    window.scrollTo(0, 0)
    again()
  }
  const isFiltered = filterNames.some((name) => place.has(name))
  const isEmpty = pages.version.value > 0 && pages.items.length === 0
  return (
    <>
      <div class="title-row">
        <h1>Recordings</h1>
        <p role="status">{pages.total.value !== undefined && `${pages.total.value} found`}</p>
        <ExportBar query={query} found={pages.count.value} />
        <ColumnChoice place={place} facets={facets} />
      </div>
      <Filters place={place} facets={facets} />
      <Trouble error={pages.error.value} onRetry={again} />
      {isEmpty && (isFiltered ? <NoMatch /> : <NoneYet />)}
      {pages.newer.value > 0 && (
        <button type="button" class="newer" onClick={showNew}>
          Show {pages.newer.value} new
        </button>
      )}
      {!isEmpty && <Rows pages={pages} columns={chosenColumns(place)} />}
    </>
  )
}

function NoMatch() {
  return (
    <Nothing title="No recording matches">
      <p>Take a filter away, or search for a part of a name or number.</p>
    </Nothing>
  )
}

function NoneYet() {
  return (
    <Nothing title="Nothing has been recorded yet">
      <p>
        A recording shows up here as soon as it begins. <a href={linkTo(['live'])}>See the calls of this moment</a>
      </p>
    </Nothing>
  )
}

function Rows({ pages, columns }: { pages: RecordingPages; columns: readonly string[] }) {
  const list = useRef<HTMLTableSectionElement>(null)
  const isNarrow = useIsNarrow()
  const count = pages.version.value > 0 ? pages.items.length : 0
  const rowPx = isNarrow ? NARROW_ROW_PX : ROW_PX
  const { first, end } = useVirtualRows(list, count, rowPx)
  const mayRead = !pages.isLoading.value && pages.error.value === undefined
  useEffect(() => {
    if (mayRead && end >= count - AHEAD) void pages.more()
  }, [end, count, mayRead, pages])
  const grid = `44px minmax(160px, 2fr) ${columns.map(() => 'minmax(90px, 1fr)').join(' ')} 170px 70px minmax(190px, 1fr)`
  return (
    <>
      <table aria-label="Recordings" aria-rowcount={pages.hasMore ? -1 : count + 1} class="recordings">
        <thead>
          <tr aria-rowindex={1} class="row head" style={isNarrow ? {} : { gridTemplateColumns: grid }}>
            {['Play', 'Parties', ...columns, 'Began', 'Length', 'State'].map((title) => (
              <th scope="col" key={title} class={title === 'Play' ? 'hidden' : undefined}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={list} class="recording-rows" style={{ height: `${count * rowPx}px` }}>
          {pages.items.slice(first, end).map((recording, at) => (
            <Row
              key={recording.recordingId}
              recording={recording}
              index={first + at}
              columns={columns}
              grid={isNarrow ? undefined : grid}
              rowPx={rowPx}
            />
          ))}
        </tbody>
      </table>
      {pages.hasMore && <p class="more">Reading more …</p>}
    </>
  )
}

interface RowProps {
  readonly recording: RecordingSummary
  readonly index: number
  readonly columns: readonly string[]
  /** Columns of the grid; undefined on a telephone, where cells stand in lines. */
  readonly grid: string | undefined
  readonly rowPx: number
}

/** A row; as long as nothing of it changes, its elements are not even compared. */
function Row({ recording, index, columns, grid, rowPx }: RowProps) {
  const isPlaying = playing.value?.recordingId === recording.recordingId
  return useMemo(
    () => (
      <tr
        aria-rowindex={index + 2}
        class="row"
        data-playing={isPlaying}
        style={{
          transform: `translateY(${index * rowPx}px)`,
          height: `${rowPx}px`,
          ...(grid === undefined ? {} : { gridTemplateColumns: grid }),
        }}
      >
        <Cells recording={recording} columns={columns} />
      </tr>
    ),
    [recording, index, columns.join(','), grid, rowPx, isPlaying],
  )
}

function Cells({ recording, columns }: { recording: RecordingSummary; columns: readonly string[] }) {
  const { recordingId, startedAt, durationMs, hasAudio, custom, callRecordingId, tags, isHeld } = recording
  const who = partiesOf(recording)
  return (
    <>
      <td class="cell-play">
        {isSelecting.value ? (
          <SelectBox recordingId={recordingId} who={who} />
        ) : (
          <button
            type="button"
            class="round"
            data-silent={!hasAudio}
            disabled={hasAudio && !may('recordings:play')}
            aria-label={hasAudio ? `Play ${who}` : `Why is there no audio of ${who}?`}
            onClick={() => play(recordingId)}
          >
            <Icon name={hasAudio ? 'play' : standing(recording).icon} />
          </button>
        )}
      </td>
      <td class="cell-who">
        <a href={linkTo(['recordings', recordingId])}>{who}</a>
        <small>
          {callRecordingId ?? recordingId}
          {tags.map((tag) => (
            <span key={tag} class="tag">
              {tag}
            </span>
          ))}
        </small>
      </td>
      {columns.map((name) => (
        <td key={name} class="cell-custom" data-name={name}>
          {custom[name]}
        </td>
      ))}
      <td class="cell-began">
        <time dateTime={startedAt}>{clockTime(startedAt)}</time>
      </td>
      <td class="cell-length">{recording.state === 'receiving' ? '…' : duration(durationMs)}</td>
      <td class="cell-state">
        <Badge is={standing(recording)} />
        <Badge is={uploadStanding(recording)} />
        {isHeld && <Badge is={{ icon: 'hold', text: 'on hold', tone: 'plain' }} />}
      </td>
    </>
  )
}

/** A state: its drawing and its word. */
export function Badge({ is }: { is: Standing | undefined }) {
  if (is === undefined) return null
  return (
    <span class="badge" data-tone={is.tone}>
      <Icon name={is.icon} />
      {is.text}
    </span>
  )
}
