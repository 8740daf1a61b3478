// HTTP requests of flows: to hosts of the list only, bounded in time and size, and never in the way of anybody else.

import { createDestinationPolicy } from '#call'
import { type HttpOutcome, type HttpRequest, MAX_TEXT_LENGTH } from '#flow'
import type { Clock } from '#kernel'
import { parseSipUri } from '#sip'
import { bodyWithin } from './http-body.ts'

/** Sends requests; no promise rejects. */
export class FlowRequests {
  readonly #allowed: ReturnType<typeof createDestinationPolicy>
  readonly #clock: Clock

  /** `hosts` as in `gateway.destinations.http`. */
  constructor(hosts: readonly string[], clock: Clock) {
    this.#allowed = createDestinationPolicy(hosts)
    this.#clock = clock
  }

  async send({ url, method, headers, body, timeoutMs }: HttpRequest): Promise<HttpOutcome> {
    const target = this.#targetOf(url)
    if (target === undefined) return { result: 'forbidden' }
    const abort = new AbortController()
    const timer = this.#clock.after(timeoutMs, 'flow request', () => abort.abort())
    try {
      const response = await fetch(target, {
        method,
        // A redirection would lead past the list.
        redirect: 'manual',
        signal: abort.signal,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined || method === 'GET' ? {} : { body: JSON.stringify(body) }),
      })
      const { status } = response
      const bytes = await bodyWithin(response, MAX_TEXT_LENGTH / 2)
      if (bytes === undefined) return { result: 'too-large', status }
      return { result: 'answered', status, body: read(bytes, response.headers.get('content-type') ?? '') }
    } catch {
      return { result: abort.signal.aborted ? 'timeout' : 'failed' }
    } finally {
      timer.cancel()
    }
  }

  #targetOf(text: string): URL | undefined {
    if (!URL.canParse(text)) return undefined
    const url = new URL(text)
    const isHttp = url.protocol === 'http:' || url.protocol === 'https:'
    if (!isHttp || url.username !== '' || url.password !== '') return undefined
    const host = parseSipUri(`sip:${url.hostname}`)
    return host.ok && this.#allowed.allows(host.value) ? url : undefined
  }
}

function read(bytes: Uint8Array, contentType: string): unknown {
  const text = new TextDecoder().decode(bytes)
  if (!/^application\/(?:[\w.+-]+\+)?json\b/i.test(contentType)) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
