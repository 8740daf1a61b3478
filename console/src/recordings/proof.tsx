// Whether a recording is as it was published: asked for by a button, told in words with what to do.

import { useState } from 'preact/hooks'
import type { ProofView } from '../../../src/control/recordings/evidence-contract.ts'
import type { RecordingView } from '../../../src/control/recordings/recording-contract.ts'
import { Dialog } from '../components/dialog.tsx'
import { Trouble } from '../components/trouble.tsx'
import { offers } from '../data/abilities.ts'
import { clockTime } from '../data/format.ts'
import { ApiError, post } from '../data/http.ts'
import { addressOf } from '../player/share.tsx'
import { type Fact, FactList } from './facts.tsx'
import { Badge } from './list.tsx'
import type { Standing } from './words.ts'

type Props = { readonly recording: RecordingView }

const standings: Readonly<Record<ProofView['outcome'], Standing>> = {
  proved: { icon: 'recorded', text: 'proved', tone: 'good' },
  altered: { icon: 'close', text: 'altered', tone: 'bad' },
  'not-chained': { icon: 'close', text: 'not chained', tone: 'bad' },
  'unknown-key': { icon: 'close', text: 'unknown key', tone: 'bad' },
  unvouched: { icon: 'not-recorded', text: 'nothing vouches for it', tone: 'warn' },
  incomplete: { icon: 'uploaded', text: 'proved in part', tone: 'warn' },
}

/** What a verification came to, or why there is none. */
interface Verified {
  readonly isUnderWay: boolean
  readonly proof?: ProofView
  readonly error?: ApiError
}

function useProof(recording: RecordingView): Verified & { readonly verify: () => void } {
  const [state, setState] = useState<Verified>({ isUnderWay: false })
  const verify = async (): Promise<void> => {
    setState((before) => ({ ...before, isUnderWay: true }))
    try {
      setState({ isUnderWay: false, proof: await post<ProofView>(addressOf(recording, '/verify')) })
    } catch (cause) {
      const error = cause instanceof ApiError ? cause : new ApiError(0, 'fault', String(cause))
      setState({ isUnderWay: false, error })
    }
  }
  return { ...state, verify: () => void verify() }
}

/** The button of the player, which answers in a window of its own. */
export function VerifyButton({ recording }: Props) {
  const { verify, ...verified } = useProof(recording)
  const [isOpen, setOpen] = useState(false)
  if (!offers('/api/recordings/{recordingId}/verify')) return null
  const open = (): void => {
    setOpen(true)
    verify()
  }
  return (
    <>
      <button type="button" onClick={open}>
        Verify
      </button>
      {isOpen && (
        <Dialog title="Is it as it was published?" onClose={() => setOpen(false)}>
          <Outcome verified={verified} onRetry={verify} />
          <form method="dialog">
            <button type="submit" class="primary">
              Close
            </button>
          </form>
        </Dialog>
      )}
    </>
  )
}

/** The panel of a recording's page. */
export function EvidencePanel({ recording }: Props) {
  const { verify, ...verified } = useProof(recording)
  if (recording.deletion !== undefined || !offers('/api/recordings/{recordingId}/verify')) return null
  const isOver = recording.state !== 'receiving'
  return (
    <section class="card" aria-labelledby="evidence-title">
      <h2 id="evidence-title">Evidence</h2>
      {isOver ? (
        <button type="button" disabled={verified.isUnderWay} onClick={verify}>
          Verify
        </button>
      ) : (
        <p>Not chained yet: a recording is hashed, signed and chained when it is over.</p>
      )}
      <Outcome verified={verified} onRetry={verify} />
    </section>
  )
}

function Outcome({ verified: { isUnderWay, proof, error }, onRetry }: { verified: Verified; onRetry: () => void }) {
  return (
    <div class="proof">
      <div role="status">
        {isUnderWay && <p>Every file is being read …</p>}
        {!isUnderWay && proof && (
          <>
            <p>
              <Badge is={standings[proof.outcome]} /> {proof.text}
            </p>
            <p>{proof.advice}</p>
          </>
        )}
      </div>
      <Trouble error={error} onRetry={onRetry} />
      {!isUnderWay && proof && <ProofFacts proof={proof} />}
    </div>
  )
}

function ProofFacts({ proof }: { proof: ProofView }) {
  const { attestedAt, keyId, trustedKeyIds, files, line, day, findings, elsewhere } = proof
  const facts: readonly Fact[] = [
    ['Signed', attestedAt && clockTime(attestedAt)],
    ['Key', keyId && `${keyId}${trustedKeyIds.includes(keyId) ? ', this recorder’s' : ', not this recorder’s'}`],
    ['Files', files === 0 ? undefined : `${files}, each with its SHA-256`],
    ['Line of the chain', line && `${line.number}, on ${line.day}`],
    [
      'Chain of the day',
      day && `${day.lines} ${day.lines === 1 ? 'line' : 'lines'}, ${day.isIntact ? 'intact' : 'not intact'}`,
    ],
    ['In object storage', elsewhere.length === 0 ? undefined : elsewhere.join(', ')],
  ]
  return (
    <>
      <FactList facts={facts} />
      <ul class="notices">
        {[...findings, ...(day?.findings ?? [])].map(({ code, where, detail }) => (
          <li key={`${code} ${where}`} data-tone="bad">
            <strong>{code}</strong> {where}: {detail}
          </li>
        ))}
      </ul>
    </>
  )
}
