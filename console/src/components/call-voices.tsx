// The speakers of a call: how loud each is, and what is lost of it; and the button that lets it be heard.

import type { CallView } from '../../../src/control/contract.ts'
import { may } from '../data/abilities.ts'
import { nameOf } from '../data/format.ts'
import { listening, listeningEnded, listenTo, stopListening } from '../data/listening.ts'
import { useVoices, type Voice } from '../data/voices.ts'

const QUIETEST_DBFS = -60

/** A meter for each speaker. */
export function CallVoices({ call }: { call: CallView }) {
  const voices = useVoices(call.callId)
  const speakers = call.parties.filter(({ role, leftAt }) => role !== 'automaton' && leftAt === undefined)
  return (
    <ul class="voices" aria-label="Speakers">
      {speakers.map(({ leg, role, aors, displayName }, index) => (
        <Meter
          key={leg}
          name={displayName ?? (aors[0] === undefined ? role : nameOf(aors[0]))}
          voice={voices.find((voice) => voice.leg === leg)}
          colour={`var(--voice-${(index % 4) + 1})`}
        />
      ))}
    </ul>
  )
}

function Meter({ name, voice, colour }: { name: string; voice: Voice | undefined; colour: string }) {
  const { rmsDbfs, lostPercent } = voice ?? {}
  const level = rmsDbfs === undefined ? undefined : Math.max(QUIETEST_DBFS, Math.min(0, rmsDbfs))
  const isMeasured = voice?.isMeasured === true
  const share = level === undefined ? 0 : 1 - level / QUIETEST_DBFS
  return (
    <li>
      <span class="voice-name">{name}</span>
      {/* biome-ignore lint/a11y/useSemanticElements: a <meter> has no colour of its own */}
      <span
        class="meter"
        role="meter"
        aria-label={`Loudness of ${name}`}
        aria-valuemin={QUIETEST_DBFS}
        aria-valuemax={0}
        aria-valuenow={level ?? QUIETEST_DBFS}
        aria-valuetext={level === undefined ? silence(isMeasured) : `${Math.round(level)} dB below full scale`}
      >
        <span style={{ width: `${100 * share}%`, background: colour }} />
      </span>
      <span class="muted loss">
        {level === undefined ? silence(isMeasured) : level <= QUIETEST_DBFS ? 'silent' : `${Math.round(level)} dB`}
        {isMeasured && lostPercent !== undefined && `, ${lostPercent.toFixed(1)} % lost`}
      </span>
    </li>
  )
}

function silence(isMeasured: boolean): string {
  return isMeasured ? 'not heard' : 'measuring…'
}

/** Lets the reader hear the call, where that is allowed. */
export function ListenButton({ callId }: { callId: string }) {
  const own = listening.value?.callId === callId ? listening.value : undefined
  const ended = listeningEnded.value?.callId === callId ? listeningEnded.value.text : ''
  if (!may('calls:listen')) return null
  return (
    <>
      <button type="button" onClick={() => (own === undefined ? listenTo(callId) : stopListening())}>
        {own === undefined ? 'Listen' : 'Stop listening'}
      </button>
      <span role="status" class="muted">
        {own === undefined ? ended : words[own.state]}
        {own !== undefined && own.dropped > 0 && ` ${own.dropped} frames were lost on the way.`}
      </span>
    </>
  )
}

const words = {
  connecting: 'Connecting…',
  hearing: 'You hear the call.',
  silent: 'Recording is paused, and so nobody hears the call.',
} as const
