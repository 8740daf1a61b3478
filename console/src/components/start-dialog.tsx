// Start of a recording: at which recorder, and under which name.

import { useId, useState } from 'preact/hooks'
import type { RecorderView } from '../../../src/control/contract.ts'
import { useResource } from '../data/resource.ts'
import { Dialog } from './dialog.tsx'
import { command } from './recording-outcome.tsx'

/** Asks for the recorder, with the known ones as choices. */
export function StartDialog({ callId, onClose }: { callId: string; onClose: () => void }) {
  const recorders = useResource<{ items: RecorderView[] }>('/api/recorders')
  const [written, setWritten] = useState<string>()
  const [callRecordingId, setId] = useState('')
  const listId = useId()
  const known = recorders.value?.items ?? []
  const server = written ?? known.find(({ state }) => state !== 'down')?.uri ?? ''
  return (
    <Dialog title="Start recording" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void command(callId, { activity: 'start', callRecordingServer: server, callRecordingId })
          onClose()
        }}
      >
        <label>
          Recorder (SIP address; several with commas)
          <input
            required
            list={listId}
            value={server}
            placeholder="sip:srs@192.0.2.10;transport=tcp"
            onInput={(event) => setWritten(event.currentTarget.value)}
          />
        </label>
        <datalist id={listId}>
          {known.map(({ uri, state }) => (
            <option key={uri} value={uri}>
              {state}
            </option>
          ))}
        </datalist>
        <label>
          Recording ID (may be empty)
          <input value={callRecordingId} maxLength={256} onInput={(event) => setId(event.currentTarget.value)} />
        </label>
        <div class="commands">
          <button type="submit" class="primary">
            Start
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  )
}
