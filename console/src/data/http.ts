// Requests to the HTTP API, with errors that a page can show as they are.

import type { ErrorBody } from '../../../src/control/contract.ts'

/** An answer that is no success, or none at all (`status` 0). */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly details: unknown

  constructor(status: number, code: string, message: string, details?: unknown) {
    super(message)
    this.status = status
    this.code = code
    this.details = details
  }
}

async function request<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const answer = await fetch(path, {
    method,
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      // A page from elsewhere cannot send it; a change that comes with a session's cookie needs it.
      ...(method === 'GET' ? {} : { 'x-requested-by': 'console' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((cause: unknown) => {
    if (signal?.aborted === true) throw cause
    throw new ApiError(0, 'unreachable', 'The program does not answer. Is it running, and is the network up?')
  })
  if (answer.status === 204) return undefined as T
  const content: unknown = await answer.json().catch(() => undefined)
  if (answer.ok) return content as T
  if (answer.status === 401) dispatchEvent(new Event('not-signed-in'))
  const { code, message, details } = (content ?? {}) as Partial<ErrorBody>
  throw new ApiError(answer.status, code ?? 'unknown', message ?? `The program answered ${answer.status}.`, details)
}

/** GET; rejects with an ApiError. */
export function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return request<T>('GET', path, undefined, signal)
}

/** POST; rejects with an ApiError. */
export function post<T>(path: string, body: unknown = {}): Promise<T> {
  return request<T>('POST', path, body)
}

/** DELETE; rejects with an ApiError. */
export function remove<T>(path: string, body?: unknown): Promise<T> {
  return request<T>('DELETE', path, body)
}
