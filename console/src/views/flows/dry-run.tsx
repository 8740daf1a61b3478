// What a flow would do, node by node; no call is made.

import { useState } from 'preact/hooks'
import type { FlowDryRun } from '../../../../src/control/flow-contract.ts'
import { Trouble } from '../../components/trouble.tsx'
import { ApiError, post } from '../../data/http.ts'

/** The form and the steps. */
export function DryRun({ source }: { source: string }) {
  const [answers, setAnswers] = useState('')
  const [input, setInput] = useState('')
  const [outcome, setOutcome] = useState<FlowDryRun>()
  const [error, setError] = useState<ApiError>()
  const run = async (): Promise<void> => {
    setOutcome(undefined)
    try {
      const given = input.trim() === '' ? {} : { input: JSON.parse(input) as unknown }
      setOutcome(
        await post<FlowDryRun>('/api/flows/dry-run', { source, ...given, ...(answers === '' ? {} : { answers }) }),
      )
      setError(undefined)
    } catch (cause) {
      if (cause instanceof SyntaxError) setError(new ApiError(0, 'input', `The input is no JSON: ${cause.message}`))
      else setError(cause instanceof ApiError ? cause : new ApiError(0, 'fault', String(cause)))
    }
  }
  return (
    <section aria-labelledby="dry-run-title">
      <h2 id="dry-run-title">Dry run</h2>
      <form
        class="form-row"
        onSubmit={(event) => {
          event.preventDefault()
          void run()
        }}
      >
        <label>
          What it would hear
          <input
            value={answers}
            placeholder="collect=1234#,dial=busy"
            onInput={(event) => setAnswers(event.currentTarget.value)}
          />
        </label>
        <label>
          Input, as JSON
          <input
            value={input}
            placeholder={'{"callee": "sip:bob@example.com"}'}
            onInput={(event) => setInput(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary">
          Run
        </button>
      </form>
      <Trouble error={error} />
      {outcome !== undefined && (
        <>
          <ol aria-label="What it would do">
            {outcome.steps.map(({ node, actions, says }, at) => (
              <li key={`${at}${node}`} class="dry-step">
                <strong>{node}</strong>
                {actions.map((action, number) => (
                  <div key={`${number}${action.asks}`}>
                    {action.asks} {action.with !== undefined && <code>{JSON.stringify(action.with)}</code>}
                    {action.gets !== undefined && (
                      <>
                        {' '}
                        gets <code>{JSON.stringify(action.gets)}</code>
                      </>
                    )}
                  </div>
                ))}
                {says.map((text) => (
                  <div key={text} class="muted">
                    {text}
                  </div>
                ))}
              </li>
            ))}
          </ol>
          <p role="status">End: {outcome.end}</p>
        </>
      )}
    </section>
  )
}
