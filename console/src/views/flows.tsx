// The flows that routes lead to; one of them with its source, its picture, what is wrong with it and what it would do.

import type { FlowSummary } from '../../../src/control/flow-contract.ts'
import { Nothing, Trouble } from '../components/trouble.tsx'
import { clockTime } from '../data/format.ts'
import { useResource } from '../data/resource.ts'
import { linkTo } from '../router.ts'
import { FlowDetail } from './flows/flow-detail.tsx'
import type { ViewProps } from './registry.ts'

const EVERY_MS = 5_000

/** The list, or the flow that the address names. */
export function FlowsView({ path: [name], query }: ViewProps) {
  if (name !== undefined) return <FlowDetail key={name} name={name} at={query.get('node') ?? undefined} />
  return <FlowList />
}

function FlowList() {
  const { value, error, reload } = useResource<{ items: FlowSummary[] }>('/api/flows', EVERY_MS)
  return (
    <>
      <h1>Flows</h1>
      <Trouble error={error} onRetry={reload} />
      {value?.items.length === 0 && (
        <Nothing title="No route leads to a flow">
          <p>
            Name the file of one under <code>gateway.routes</code>.
          </p>
        </Nothing>
      )}
      <ul class="cards" aria-label="Flows">
        {value?.items.map(({ name, title, file, routes, loadedAt, nodes, mistakes, warnings }) => (
          <li key={name}>
            <article class="card" aria-label={title}>
              <header>
                <h2>
                  <a href={linkTo(['flows', name])}>{title}</a>
                </h2>
                <span class="state" data-outcome={mistakes.length > 0 ? 'failed' : 'done'}>
                  {mistakes.length > 0 ? 'file has mistakes' : 'in force'}
                </span>
                {warnings.length > 0 && <span class="muted">{warnings.length} warnings</span>}
              </header>
              <p class="muted">
                <code>{file}</code>, {nodes} nodes, loaded {clockTime(loadedAt)}; dialled as {routes.join(', ')}
              </p>
            </article>
          </li>
        ))}
      </ul>
    </>
  )
}
