// Tags, legal holds and deletion; each answers what came of it.

import { useState } from 'preact/hooks'
import type { RecordingView } from '../../../src/control/recordings/recording-contract.ts'
import { Dialog } from '../components/dialog.tsx'
import { may } from '../data/abilities.ts'
import { clockTime } from '../data/format.ts'
import { ApiError, post, remove } from '../data/http.ts'

type Props = { readonly recording: RecordingView; readonly onChange: () => void }
type Act = 'hold' | 'release' | 'delete'

const acts: Readonly<Record<Act, { title: string; question: string; done: string }>> = {
  hold: {
    title: 'Put on hold',
    question: 'Nothing and nobody deletes the recording while a legal hold is on it.',
    done: 'A legal hold is on the recording.',
  },
  release: {
    title: 'Lift the hold',
    question: 'Every legal hold of this recording is lifted; retention may delete it then.',
    done: 'The recording is on hold no more.',
  },
  delete: {
    title: 'Delete',
    question: 'Audio, metadata and copies are removed for good. Ids, times and your reason stay.',
    done: 'The recording is deleted.',
  },
}

/** What may be done with a recording. */
export function Curation({ recording, onChange }: Props) {
  const { recordingId, isHeld, holds, deletion, state } = recording
  const [asked, setAsked] = useState<Act>()
  const [outcome, setOutcome] = useState<string>()
  const path = `/api/recordings/${encodeURIComponent(recordingId)}`
  const carryOut = async (act: Act, reason: string): Promise<void> => {
    try {
      await (act === 'delete' ? remove(path, { reason }) : post(`${path}/${act}`, { reason }))
      setOutcome(acts[act].done)
    } catch (cause) {
      setOutcome(`${acts[act].title}: ${cause instanceof ApiError ? cause.message : String(cause)}`)
    }
    onChange()
  }
  const mayChange = may('recordings:write')
  return (
    <section class="card" aria-labelledby="curation-title">
      <h2 id="curation-title">Keep, tag, delete</h2>
      {deletion === undefined && mayChange && (
        <Tags path={path} tags={recording.tags} onChange={onChange} onOutcome={setOutcome} />
      )}
      <ul class="holds">
        {holds.map(({ at, actor, reason }) => (
          <li key={`${at} ${reason}`}>
            On hold since {clockTime(at)} by {actor}: {reason}
          </li>
        ))}
      </ul>
      {deletion === undefined && (
        <div class="commands">
          <button type="button" disabled={!mayChange} onClick={() => setAsked('hold')}>
            Put on hold …
          </button>
          {isHeld && (
            <button type="button" disabled={!mayChange} onClick={() => setAsked('release')}>
              Lift the hold …
            </button>
          )}
          <button
            type="button"
            class="danger"
            disabled={isHeld || state === 'receiving' || !may('recordings:delete')}
            title={isHeld ? 'A legal hold is on it.' : undefined}
            onClick={() => setAsked('delete')}
          >
            Delete …
          </button>
        </div>
      )}
      <p role="status">{outcome}</p>
      {asked && (
        <Dialog title={acts[asked].title} onClose={() => setAsked(undefined)}>
          <Ask key={asked} act={asked} onReason={(reason) => void carryOut(asked, reason)} />
        </Dialog>
      )}
    </section>
  )
}

function Ask({ act, onReason }: { act: Act; onReason: (reason: string) => void }) {
  const [reason, setReason] = useState('')
  const { title, question } = acts[act]
  return (
    <form method="dialog" onSubmit={() => reason.trim() !== '' && onReason(reason.trim())}>
      <p>{question}</p>
      <label class="reason">
        Reason (kept in the audit log)
        <input required maxLength={1000} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
      </label>
      <div class="commands">
        <button type="submit" class={act === 'delete' ? 'danger' : 'primary'} disabled={reason.trim() === ''}>
          {title}
        </button>
        <button type="button" onClick={(event) => event.currentTarget.closest('dialog')?.close()}>
          Cancel
        </button>
      </div>
    </form>
  )
}

type TagProps = {
  readonly path: string
  readonly tags: readonly string[]
  readonly onChange: () => void
  readonly onOutcome: (outcome: string) => void
}

function Tags({ path, tags, onChange, onOutcome }: TagProps) {
  const [typed, setTyped] = useState('')
  const change = async (body: { add?: string[]; remove?: string[] }, outcome: string): Promise<void> => {
    try {
      await post(`${path}/tags`, body)
      onOutcome(outcome)
    } catch (cause) {
      onOutcome(cause instanceof ApiError ? cause.message : String(cause))
    }
    onChange()
  }
  const add = (event: Event): void => {
    event.preventDefault()
    const tag = typed.trim()
    if (tag === '') return
    setTyped('')
    void change({ add: [tag] }, `Tagged ${tag}.`)
  }
  return (
    <form class="commands" onSubmit={add}>
      {tags.map((tag) => (
        <button
          key={tag}
          type="button"
          class="tag"
          aria-label={`Remove the tag ${tag}`}
          onClick={() => void change({ remove: [tag] }, `${tag} is removed.`)}
        >
          {tag} ×
        </button>
      ))}
      <label>
        <span class="hidden">New tag</span>
        <input
          placeholder="New tag"
          maxLength={64}
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </label>
      <button type="submit">Add</button>
    </form>
  )
}
