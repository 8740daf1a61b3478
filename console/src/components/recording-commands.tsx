// Buttons that steer the recording of a call.

import { useState } from 'preact/hooks'
import { may } from '../data/abilities.ts'
import { ListenButton } from './call-voices.tsx'
import { PauseDialog } from './pause-dialog.tsx'
import { command, RecordingOutcome } from './recording-outcome.tsx'
import { StartDialog } from './start-dialog.tsx'

type Action = 'start' | 'pause' | 'resume' | 'stop'

const offered: Readonly<Record<string, readonly Action[]>> = {
  starting: ['pause', 'stop'],
  recording: ['pause', 'stop'],
  partial: ['pause', 'stop'],
  pausing: ['resume', 'stop'],
  paused: ['resume', 'stop'],
  resuming: ['pause', 'stop'],
}

/** What can be done with a recording in `state` (`none` without one), and what came of the latest. */
export function RecordingCommands({ callId, state }: { callId: string; state: string }) {
  const [isBusy, setBusy] = useState(false)
  const [asked, setAsked] = useState<'start' | 'pause'>()
  const actions = offered[state] ?? ['start']
  const run = async (activity: Action): Promise<void> => {
    setBusy(true)
    await command(callId, { activity })
    setBusy(false)
  }
  const close = (): void => setAsked(undefined)
  const isAllowed = may('calls:control')
  return (
    <>
      <div class="commands">
        {actions.includes('start') && (
          <button type="button" disabled={isBusy || !isAllowed} onClick={() => setAsked('start')}>
            Start recording…
          </button>
        )}
        {actions.includes('pause') && (
          <>
            <button type="button" disabled={isBusy || !isAllowed} onClick={() => void run('pause')}>
              Pause
            </button>
            <button type="button" disabled={isBusy || !isAllowed} onClick={() => setAsked('pause')}>
              Pause for…
            </button>
          </>
        )}
        {actions.includes('resume') && (
          <button type="button" class="primary" disabled={isBusy || !isAllowed} onClick={() => void run('resume')}>
            Resume
          </button>
        )}
        {actions.includes('stop') && (
          <button type="button" class="danger" disabled={isBusy || !isAllowed} onClick={() => void run('stop')}>
            Stop
          </button>
        )}
        <ListenButton callId={callId} />
        {!isAllowed && <span class="muted">You may watch calls, but not steer their recording.</span>}
      </div>
      <RecordingOutcome callId={callId} />
      {asked === 'start' && <StartDialog callId={callId} onClose={close} />}
      {asked === 'pause' && <PauseDialog callId={callId} onClose={close} />}
    </>
  )
}
