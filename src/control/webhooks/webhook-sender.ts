// One delivery over HTTP: what came of it, and whether the target said when to come again.

import { messageOf } from '#kernel'

/** What came of a delivery; `retryAfterMs`: the target asked for so long. */
export type DeliveryResult =
  | { readonly ok: true; readonly status: number }
  | { readonly ok: false; readonly reason: string; readonly retryAfterMs?: number }

const BUSY = new Set([429, 503])
const LONGEST_RETRY_AFTER_SECONDS = 3_600

/** Posts; never rejects. A redirection is a failure: it would take the event elsewhere than the configuration says. */
export async function deliver(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
): Promise<DeliveryResult> {
  try {
    const options = {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body,
      signal,
    } as const
    const response = await fetch(url, { ...options, redirect: 'manual' })
    await response.body?.cancel()
    const { status } = response
    if (status >= 200 && status < 300) return { ok: true, status }
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
    const isAsked = BUSY.has(status) && seconds >= 0
    const retryAfterMs = Math.min(seconds, LONGEST_RETRY_AFTER_SECONDS) * 1_000
    return { ok: false, reason: `status ${status}`, ...(isAsked ? { retryAfterMs } : {}) }
  } catch (fault) {
    if (signal.aborted) return { ok: false, reason: 'no answer in time' }
    const { cause } = fault as { readonly cause?: unknown }
    return { ok: false, reason: messageOf(cause ?? fault) }
  }
}
