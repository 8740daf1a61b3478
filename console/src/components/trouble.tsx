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

interface NothingProps {
  readonly title: string
  /** Nothing else is on the page: its title is that of the page. */
  readonly isPage?: boolean
  readonly children?: preact.ComponentChildren
}

/** Says that there is nothing yet, and what to do about it. */
export function Nothing({ title, isPage = false, children }: NothingProps) {
  return (
    <div class="nothing">
      {isPage ? <h1>{title}</h1> : <h2>{title}</h2>}
      {children}
    </div>
  )
}
