// Bad news, said where it matters: what happened and what can be done.

import type { ApiError } from '../data/http.ts'

/** Shows an error of the API; `onRetry` adds a button. */
export function Trouble({ error, onRetry }: { error: ApiError | undefined; onRetry?: () => void }) {
  if (error === undefined) return null
  return (
    <div class="trouble" role="alert">
      <p>{error.message}</p>
      {onRetry && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  )
}

/** Says that there is nothing yet, and what to do about it. */
export function Nothing({ title, children }: { title: string; children?: preact.ComponentChildren }) {
  return (
    <div class="nothing">
      <h2>{title}</h2>
      {children}
    </div>
  )
}
