// Something that is read from the API and read again: its latest value, and why it is not newer.

import { useEffect, useState } from 'preact/hooks'
import { ApiError, get } from './http.ts'

/** What is known of a resource. */
export interface Resource<T> {
  /** The latest answer, also while a newer one is failing. */
  readonly value: T | undefined
  readonly error: ApiError | undefined
  /** Reads it again at once. */
  readonly reload: () => void
}

/** Reads `path` now and, with `everyMs`, again and again while the page is visible. */
export function useResource<T>(path: string | undefined, everyMs?: number): Resource<T> {
  const [state, setState] = useState<{ path: string | undefined; value?: T; error?: ApiError }>({ path })
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    if (path === undefined) return
    const abort = new AbortController()
    let timer: number | undefined
    const read = async (): Promise<void> => {
      try {
        const value = await get<T>(path, abort.signal)
        setState({ path, value })
      } catch (cause) {
        if (abort.signal.aborted) return
        const error = cause instanceof ApiError ? cause : new ApiError(0, 'fault', String(cause))
        setState((before) => (before.path === path ? { ...before, error } : { path, error }))
      }
      if (everyMs !== undefined && !abort.signal.aborted) timer = window.setTimeout(next, everyMs)
    }
    const next = (): void => {
      if (document.visibilityState === 'visible') void read()
      else timer = window.setTimeout(next, everyMs)
    }
    void read()
    return () => {
      abort.abort()
      window.clearTimeout(timer)
    }
  }, [path, everyMs, turn])
  const isCurrent = state.path === path
  return {
    value: isCurrent ? state.value : undefined,
    error: isCurrent ? state.error : undefined,
    reload: () => setTurn((before) => before + 1),
  }
}
