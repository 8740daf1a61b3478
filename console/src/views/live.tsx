// The calls of this moment and what is recorded of them.

import { useState } from 'preact/hooks'
import type { CallView } from '../../../src/control/contract.ts'
import { Nothing, Trouble } from '../components/trouble.tsx'
import { VirtualList } from '../components/virtual-list.tsx'
import { may, offers } from '../data/abilities.ts'
import { alarmsOf } from '../data/alarms.ts'
import { liveCalls, liveCallsError, refreshCalls, useLiveCalls } from '../data/live-calls.ts'
import { linkTo } from '../router.ts'
import { CallCard } from './live/call-card.tsx'

const CARD_HEIGHT = 210

const shown: Readonly<Record<string, (call: CallView) => boolean>> = {
  all: () => true,
  alarms: (call) => alarmsOf(call).length > 0,
  recorded: ({ recording }) => recording?.state === 'recording',
  paused: ({ recording }) => recording?.state === 'paused',
  'not recorded': ({ recording }) => recording === undefined,
}

/** The page of live calls. */
export function LiveView() {
  useLiveCalls()
  const [only, setOnly] = useState('all')
  const [text, setText] = useState('')
  const calls = liveCalls.value
  const matching = calls?.filter((call) => shown[only]?.(call) === true && hasText(call, text)) ?? []
  return (
    <>
      <h1>Live calls</h1>
      <Trouble error={liveCallsError.value} onRetry={() => refreshCalls()} />
      {calls === undefined && liveCallsError.value === undefined && <p class="muted">Reading the calls…</p>}
      {calls !== undefined && calls.length === 0 && (
        <Nothing title="Nobody is talking right now">
          <p>A call shows here as soon as it rings, with its recorders and everything that is wrong with them.</p>
          <p class="commands">
            {offers('/api/test-calls') && may('calls:control') && (
              <a class="button" href={linkTo(['set-up'])}>
                Place a test call
              </a>
            )}
            <a class="button" href={linkTo(['calls'])}>
              Calls of late
            </a>
          </p>
        </Nothing>
      )}
      {calls !== undefined && calls.length > 0 && (
        <>
          <div class="filters">
            <fieldset>
              <legend class="hidden">Which calls</legend>
              {Object.entries(shown).map(([name, isShown]) => {
                const count = calls.filter(isShown).length
                return (
                  <label key={name} class="chip" data-alarms={name === 'alarms' && count > 0}>
                    <input type="radio" name="which" checked={only === name} onChange={() => setOnly(name)} />
                    {name} <span class="count">{count}</span>
                  </label>
                )
              })}
            </fieldset>
            <input
              type="search"
              aria-label="Find a call by party, recorder or id"
              placeholder="Party, recorder or id"
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </div>
          {matching.length === 0 && (
            <Nothing title="No call is so">
              <p class="commands">
                <button
                  type="button"
                  onClick={() => {
                    setOnly('all')
                    setText('')
                  }}
                >
                  Show all calls
                </button>
              </p>
            </Nothing>
          )}
          <VirtualList label="Calls" items={matching} keyOf={({ callId }) => callId} estimate={CARD_HEIGHT}>
            {(call) => <CallCard call={call} />}
          </VirtualList>
        </>
      )}
    </>
  )
}

function hasText({ callId, parties, recording }: CallView, text: string): boolean {
  const wanted = text.trim().toLowerCase()
  if (wanted === '') return true
  const words = [
    callId,
    recording?.recordingId ?? '',
    ...parties.flatMap(({ aors, displayName = '' }) => [...aors, displayName]),
    ...(recording?.sessions.map(({ uri }) => uri) ?? []),
  ]
  return words.some((word) => word.toLowerCase().includes(wanted))
}
