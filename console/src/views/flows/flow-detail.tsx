// One flow: its picture and its source, which can be changed here to see what that would mean; nothing is saved.

import { useState } from 'preact/hooks'
import type { FlowValidation, FlowView, Mistake } from '../../../../src/control/flow-contract.ts'
import { Trouble } from '../../components/trouble.tsx'
import { ApiError, post } from '../../data/http.ts'
import { useResource } from '../../data/resource.ts'
import { linkTo } from '../../router.ts'
import { DryRun } from './dry-run.tsx'
import { FlowPicture } from './flow-picture.tsx'

/** The page of a flow; `at` is a node to be marked in its picture. */
export function FlowDetail({ name, at }: { name: string; at: string | undefined }) {
  const { value, error, reload } = useResource<FlowView>(`/api/flows/${encodeURIComponent(name)}`)
  return (
    <>
      <p>
        <a href={linkTo(['flows'])}>All flows</a>
      </p>
      <h1>{value?.title ?? name}</h1>
      <Trouble error={error} onRetry={reload} />
      {value !== undefined && <Flow key={value.loadedAt} flow={value} at={at} />}
    </>
  )
}

function Flow({ flow, at }: { flow: FlowView; at: string | undefined }) {
  const [source, setSource] = useState(flow.source)
  const [checked, setChecked] = useState<FlowValidation>()
  const [error, setError] = useState<ApiError>()
  const check = async (): Promise<void> => {
    try {
      setChecked(await post<FlowValidation>('/api/flows/validate', { source }))
      setError(undefined)
    } catch (cause) {
      setError(cause instanceof ApiError ? cause : new ApiError(0, 'fault', String(cause)))
    }
  }
  const graph = checked?.graph ?? flow.graph
  return (
    <>
      <p class="muted">
        <code>{flow.file}</code>; dialled as {flow.routes.join(', ')}
      </p>
      <Mistakes title="The file has mistakes; calls still get the flow as it was" mistakes={flow.mistakes} />
      <div class="flow">
        <section aria-labelledby="picture-title">
          <h2 id="picture-title">Picture</h2>
          <FlowPicture graph={graph} at={at} />
        </section>
        <section aria-labelledby="source-title">
          <h2 id="source-title">Source</h2>
          <p class="muted">Change it here to see what that would mean. Nothing is saved, and no call gets it.</p>
          <div class="source">
            <pre aria-hidden="true">{numbers(source)}</pre>
            <textarea
              aria-labelledby="source-title"
              spellcheck={false}
              wrap="off"
              rows={source.split('\n').length + 1}
              value={source}
              onInput={(event) => setSource(event.currentTarget.value)}
            />
          </div>
          <div class="commands">
            <button type="button" class="primary" onClick={() => void check()}>
              Validate
            </button>
            <button type="button" disabled={source === flow.source} onClick={() => setSource(flow.source)}>
              As loaded
            </button>
          </div>
          <Trouble error={error} />
          <div role="status">{checked?.isValid === true && <p>The flow is valid.</p>}</div>
          <Mistakes title="Mistakes" mistakes={checked?.mistakes ?? []} />
          <Mistakes title="Warnings" mistakes={checked?.warnings ?? flow.warnings} />
        </section>
      </div>
      <DryRun source={source} />
    </>
  )
}

function Mistakes({ title, mistakes }: { title: string; mistakes: readonly Mistake[] }) {
  if (mistakes.length === 0) return null
  return (
    <div class="alarm">
      <strong>{title}</strong>
      <ul>
        {mistakes.map(({ line, column, path, expected }) => (
          <li key={`${line}:${column}:${path}`}>
            line {line}, column {column}: {path !== '' && <code>{path}</code>} {expected}
          </li>
        ))}
      </ul>
    </div>
  )
}

function numbers(source: string): string {
  return source
    .split('\n')
    .map((_line, at) => at + 1)
    .join('\n')
}
