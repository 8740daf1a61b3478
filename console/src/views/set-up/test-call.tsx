// A test call from the page: placed, watched, paused and resumed here, and led to its recording.

import { useEffect, useRef, useState } from 'preact/hooks'
import type { RecordingSummary } from '../../../../src/control/recordings/recording-contract.ts'
import type { TestCall } from '../../../../src/control/test-call-contract.ts'
import { Trouble } from '../../components/trouble.tsx'
import { ApiError, get, post, remove } from '../../data/http.ts'
import { liveCalls, useLiveCalls } from '../../data/live-calls.ts'
import { play } from '../../player/playing.ts'
import { linkTo } from '../../router.ts'
import { CallCard } from '../live/call-card.tsx'

const ASK_AGAIN_MS = 1_000
/** After its end a recording has so long to come into the catalogue. */
const PATIENCE_MS = 30_000

type Step = 'placed' | 'recorded' | 'paused' | 'resumed' | 'heard'

const steps: readonly (readonly [step: Step, text: string])[] = [
  ['placed', 'Two people talk through the gateway'],
  ['recorded', 'The recorder gets what they say'],
  ['paused', 'Pause: press it below while they talk'],
  ['resumed', 'Resume: the recording goes on'],
  ['heard', 'Hear the recording'],
]

/** The button, the call, and how far it is. */
export function TestCallPanel({ isGuided = false }: { isGuided?: boolean }) {
  useLiveCalls()
  const [test, setTest] = useState<TestCall>()
  const [isBusy, setBusy] = useState(false)
  const [isReady, setReady] = useState(false)
  const [error, setError] = useState<ApiError>()
  const [done, setDone] = useState<ReadonlySet<Step>>(new Set())
  const watched = useRef(0)
  useEffect(() => {
    return () => {
      watched.current += 1
    }
  }, [])

  const call = liveCalls.value?.find(({ callId }) => callId === test?.callId)
  const state = call?.recording?.state
  const isOver = test?.state === 'ended' || test?.state === 'failed'
  useEffect(() => {
    const now = new Set(done)
    if (test?.state === 'talking') now.add('placed')
    if (state === 'recording') now.add(done.has('paused') ? 'resumed' : 'recorded')
    if (state === 'paused') now.add('paused')
    if (now.size > done.size) setDone(now)
  }, [test?.state, state, done])

  const place = async (): Promise<void> => {
    const turn = ++watched.current
    setBusy(true)
    setError(undefined)
    setTest(undefined)
    setReady(false)
    setDone(new Set())
    try {
      let latest = await post<TestCall>('/api/test-calls', {})
      let endedAt: number | undefined
      while (turn === watched.current) {
        setTest(latest)
        if (latest.state === 'ended' || latest.state === 'failed') endedAt ??= Date.now()
        if (endedAt !== undefined && (await isPublished(latest))) {
          setReady(true)
          break
        }
        if (endedAt !== undefined && Date.now() - endedAt > PATIENCE_MS) break
        await new Promise((resolve) => window.setTimeout(resolve, ASK_AGAIN_MS))
        latest = await get<TestCall>(`/api/test-calls/${latest.testCallId}`)
      }
    } catch (cause) {
      setError(cause instanceof ApiError ? cause : new ApiError(0, 'fault', String(cause)))
    }
    if (turn === watched.current) setBusy(false)
  }

  const hear = (recordingId: string | undefined): void => {
    if (recordingId === undefined) return
    play(recordingId)
    setDone(new Set([...done, 'heard']))
  }

  const hangUp = (): void => {
    if (test === undefined) return
    remove(`/api/test-calls/${test.testCallId}`).catch((cause: unknown) => {
      setError(cause instanceof ApiError ? cause : new ApiError(0, 'fault', String(cause)))
    })
  }

  return (
    <div class="test-call">
      <div class="commands">
        <button type="button" class="primary" disabled={isBusy} onClick={() => void place()}>
          {test === undefined ? 'Place a test call' : 'Place another test call'}
        </button>
        {test !== undefined && !isOver && (
          <button type="button" onClick={hangUp}>
            Hang up
          </button>
        )}
      </div>
      <Trouble error={error} />
      <div role="status">{test !== undefined && <p>{words(test)}</p>}</div>
      {isGuided && (
        <ol class="plain checks">
          {steps.map(([step, text]) => {
            const isDone = done.has(step)
            return (
              <li key={step}>
                <span class="state" data-step={isDone ? 'done' : 'open'}>
                  {isDone ? 'done' : 'to do'}
                </span>
                <span>{text}</span>
              </li>
            )
          })}
        </ol>
      )}
      {call !== undefined && !isOver && <CallCard call={call} />}
      {isReady && test?.recordingId !== undefined && (
        <div class="commands">
          <button type="button" class="primary" onClick={() => hear(test.recordingId)}>
            Hear the recording
          </button>
          <a href={linkTo(['recordings', test.recordingId])}>Everything about it</a>
        </div>
      )}
    </div>
  )
}

/** Whether its recording can be heard: it is closed, and in our own recorder. */
async function isPublished({ recordingId }: TestCall): Promise<boolean> {
  if (recordingId === undefined) return false
  const { state } = await get<RecordingSummary>(`/api/recordings/${encodeURIComponent(recordingId)}`)
  return state !== 'receiving'
}

function words({ state, failure, recordingId, recorders, callRecordingId }: TestCall): string {
  switch (state) {
    case 'calling':
      return 'The caller calls…'
    case 'talking':
      return 'They talk. The call hangs up by itself after a minute.'
    case 'failed':
      return `The call did not come about: ${failure ?? 'no reason was given'}.`
    case 'ended':
      return recordingId === undefined
        ? `The call is over. Look for ${callRecordingId} at ${recorders.join(', ')}.`
        : 'The call is over, and its recording is here.'
  }
}
