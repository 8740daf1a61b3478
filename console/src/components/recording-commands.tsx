// Buttons that steer the recording of a call; each says what came of it.

import { useState } from 'preact/hooks'
import { ApiError, post } from '../data/http.ts'

type Activity = 'pause' | 'resume' | 'stop'

const offered: Readonly<Record<string, readonly Activity[]>> = {
  recording: ['pause', 'stop'],
  paused: ['resume', 'stop'],
}

const words: Readonly<Record<Activity, string>> = { pause: 'Pause', resume: 'Resume', stop: 'Stop' }

/** What can be done with a recording in `state`. */
export function RecordingCommands({ callId, state }: { callId: string; state: string }) {
  const [outcome, setOutcome] = useState<string>()
  const [isBusy, setBusy] = useState(false)
  const command = async (activity: Activity): Promise<void> => {
    setBusy(true)
    try {
      const { status, text } = await post<{ status: number; text: string }>(
        `/api/calls/${encodeURIComponent(callId)}/recording`,
        { activity },
      )
      setOutcome(`${words[activity]}: ${text} (${status})`)
    } catch (cause) {
      setOutcome(`${words[activity]}: ${cause instanceof ApiError ? cause.message : String(cause)}`)
    } finally {
      setBusy(false)
    }
  }
  return (
    <div class="commands">
      {(offered[state] ?? []).map((activity) => (
        <button key={activity} type="button" disabled={isBusy} onClick={() => void command(activity)}>
          {words[activity]}
        </button>
      ))}
      <span role="status">{outcome}</span>
    </div>
  )
}
