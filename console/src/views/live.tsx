// The calls of this moment and what is recorded of them.

import type { CallView } from '../../../src/control/contract.ts'
import { RecordingCommands } from '../components/recording-commands.tsx'
import { Nothing, Trouble } from '../components/trouble.tsx'
import { clockTime } from '../data/format.ts'
import { useResource } from '../data/resource.ts'

const REFRESH_MS = 1000

/** The page of live calls. */
export function LiveView() {
  const calls = useResource<{ total: number; items: CallView[] }>('/api/calls', REFRESH_MS)
  return (
    <>
      <h1>Live calls</h1>
      <Trouble error={calls.error} onRetry={calls.reload} />
      {calls.value?.items.length === 0 && <Nothing title="Nobody is talking right now" />}
      <ul class="cards">
        {calls.value?.items.map((call) => (
          <LiveCall key={call.callId} call={call} />
        ))}
      </ul>
    </>
  )
}

function LiveCall({ call }: { call: CallView }) {
  const names = call.parties.map(({ displayName, aors, role }) => displayName ?? aors[0] ?? role)
  const state = call.recording?.state ?? 'none'
  return (
    <li class="card">
      <h2>{names.join(' and ')}</h2>
      <p>
        since <time dateTime={call.startedAt}>{clockTime(call.startedAt)}</time>
      </p>
      <p class="state" data-state={state}>
        {state === 'none' ? 'not recorded' : state}
      </p>
      <RecordingCommands callId={call.callId} state={state} />
    </li>
  )
}
