// A synthetic recorded call to a recorder: what it can do, and what to set here for it.

import { useEffect, useState } from 'preact/hooks'
import type { RecorderTest } from '../../../../src/control/recorder-test-contract.ts'
import { CopyBlock } from '../../components/copy-block.tsx'
import { HelpLink } from '../../components/help-link.tsx'
import { Trouble } from '../../components/trouble.tsx'
import { ApiError, get, post } from '../../data/http.ts'
import { yamlOf } from '../../data/yaml.ts'

const SECONDS = 6
const ASK_AGAIN_MS = 1_000

/** The form and the report; begins at once when the address names a recorder. */
export function RecorderTester({ query }: { query: URLSearchParams }) {
  const given = query.get('test') ?? ''
  const [uri, setUri] = useState(given)
  const [test, setTest] = useState<RecorderTest>()
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError>()
  const run = async (wanted: string): Promise<void> => {
    setBusy(true)
    setError(undefined)
    setTest(undefined)
    try {
      let latest = await post<RecorderTest>('/api/recorders/test', { uri: wanted, seconds: SECONDS })
      while (latest.state === 'running') {
        await new Promise((resolve) => window.setTimeout(resolve, ASK_AGAIN_MS))
        latest = await get<RecorderTest>(`/api/recorders/tests/${latest.id}`)
      }
      setTest(latest)
    } catch (cause) {
      setError(cause instanceof ApiError ? cause : new ApiError(0, 'fault', String(cause)))
    }
    setBusy(false)
  }
  useEffect(() => {
    if (given === '') return
    document.getElementById('tester')?.scrollIntoView({ block: 'start' })
    void run(given)
  }, [given])
  return (
    <section id="tester" class="card" aria-labelledby="tester-title">
      <h2 id="tester-title">Test a recorder</h2>
      <p class="muted">
        Places a call of its own with a tone, pauses, resumes and ends it, and looks at what the recorder answers. Calls
        under way are not touched.
      </p>
      <form
        class="form-row"
        onSubmit={(event) => {
          event.preventDefault()
          void run(uri)
        }}
      >
        <label class="wide">
          Address of the recorder
          <input
            required
            value={uri}
            placeholder="sip:srs@192.0.2.10;transport=tcp"
            onInput={(event) => setUri(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary" disabled={isBusy}>
          {isBusy ? 'Testing…' : 'Test'}
        </button>
      </form>
      <div role="status">{isBusy && <p>The test call is under way; it takes up to half a minute.</p>}</div>
      <Trouble error={error} />
      {test !== undefined && <Report test={test} />}
    </section>
  )
}

function Report({ test: { uri, failure, report } }: { test: RecorderTest }) {
  if (report === undefined) {
    return (
      <Trouble error={new ApiError(0, 'failed', `The test could not be carried out here: ${failure ?? 'no reason'}`)} />
    )
  }
  const { isRecorder, items, notes, profile } = report
  return (
    <article class="report" aria-label="Report">
      <h3>
        {uri} {isRecorder ? 'takes recordings' : 'took no recording'}
      </h3>
      {!isRecorder && <HelpLink topic="not-started" />}
      <ul class="plain checks">
        {items.map(({ name, verdict, detail }) => (
          <li key={name}>
            <span class="state" data-verdict={verdict}>
              {verdict}
            </span>
            <span>
              <strong>{name}</strong> {detail}
            </span>
          </li>
        ))}
      </ul>
      {notes.map((note) => (
        <p key={note}>{note}</p>
      ))}
      {isRecorder && (
        <CopyBlock title="What to set here for it" text={yamlOf({ gateway: { recording: { profiles: [profile] } } })} />
      )}
    </article>
  )
}
