// Buttons of the player, and the keys that do the same.

import { useEffect, useState } from 'preact/hooks'
import type { RecordingView } from '../../../src/control/recordings/recording-contract.ts'
import { Dialog } from '../components/dialog.tsx'
import { Icon } from '../components/icon.tsx'
import { duration } from '../data/format.ts'
import { keyHelp, listenToKeys } from './keys.ts'
import { Part } from './share.tsx'
import { sound, speeds } from './sound.ts'

const STEP_S = 10

/** The buttons. */
export function Controls({ recording }: { recording: RecordingView }) {
  const [isHelping, setHelping] = useState(false)
  useEffect(() => listenToKeys(() => setHelping(true)), [])
  const atMs = 1000 * sound.atS.value
  const totalMs = 1000 * sound.durationS.value
  return (
    <div class="controls">
      <button
        type="button"
        class="round"
        aria-label="Back 10 seconds"
        onClick={() => sound.seek(sound.atS.value - STEP_S)}
      >
        <Icon name="back" />
      </button>
      <button
        type="button"
        class="round primary"
        aria-label={sound.isPlaying.value ? 'Pause' : 'Play'}
        onClick={() => sound.toggle()}
      >
        <Icon name={sound.isPlaying.value ? 'pause' : 'play'} />
      </button>
      <button
        type="button"
        class="round"
        aria-label="Forward 10 seconds"
        onClick={() => sound.seek(sound.atS.value + STEP_S)}
      >
        <Icon name="forward" />
      </button>
      <span class="clock">
        {duration(atMs)} / {duration(totalMs)}
      </span>
      <input
        type="range"
        class="position"
        aria-label="Position"
        aria-valuetext={`${duration(atMs)} of ${duration(totalMs)}`}
        min={0}
        max={sound.durationS.value}
        step={0.1}
        value={sound.atS.value}
        onInput={(event) => sound.seek(event.currentTarget.valueAsNumber)}
      />
      <label class="speed">
        <span class="hidden">Speed</span>
        <select
          aria-label="Speed"
          value={sound.speed.value}
          onChange={(event) => sound.setSpeed(Number(event.currentTarget.value))}
        >
          {speeds.map((speed) => (
            <option key={speed} value={speed}>
              {speed}×
            </option>
          ))}
        </select>
      </label>
      <button type="button" class="round help" aria-label="Keys of the player" onClick={() => setHelping(true)}>
        ?
      </button>
      <Part recording={recording} />
      {isHelping && (
        <Dialog title="Keys of the player" onClose={() => setHelping(false)}>
          <dl class="keys">
            {keyHelp.map(([key, what]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
          <form method="dialog">
            <button type="submit" class="primary">
              Close
            </button>
          </form>
        </Dialog>
      )}
    </div>
  )
}
