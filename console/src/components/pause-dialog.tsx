// A pause that ends by itself.

import { useState } from 'preact/hooks'
import { Dialog } from './dialog.tsx'
import { command } from './recording-outcome.tsx'

const times: readonly (readonly [seconds: number, text: string])[] = [
  [30, '30 seconds'],
  [60, '1 minute'],
  [120, '2 minutes'],
  [300, '5 minutes'],
  [900, '15 minutes'],
]

/** Asks how long, and what comes then. */
export function PauseDialog({ callId, onClose }: { callId: string; onClose: () => void }) {
  const [maxSeconds, setSeconds] = useState(60)
  const [next, setNext] = useState<'resume' | 'stop'>('resume')
  return (
    <Dialog title="Pause for a time" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void command(callId, { activity: 'pause', limit: { maxSeconds, next } })
          onClose()
        }}
      >
        <label>
          At most
          <select value={maxSeconds} onChange={(event) => setSeconds(Number(event.currentTarget.value))}>
            {times.map(([seconds, text]) => (
              <option key={seconds} value={seconds}>
                {text}
              </option>
            ))}
          </select>
        </label>
        <label>
          Then
          <select value={next} onChange={(event) => setNext(event.currentTarget.value === 'stop' ? 'stop' : 'resume')}>
            <option value="resume">go on recording</option>
            <option value="stop">stop recording</option>
          </select>
        </label>
        <div class="commands">
          <button type="submit" class="primary">
            Pause
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  )
}
