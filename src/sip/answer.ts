// Answers that need no user: one call from a request to its response.

import type { Arrived, CoreParts } from './core-parts.ts'
import type { HeaderList, MessageOptions } from './session.ts'

const UNAVAILABLE_RETRY_AFTER: HeaderList = [['Retry-After', '30']]

/** Answers a request that opened a server transaction. */
export function answer(parts: CoreParts, arrived: Arrived, status: number, options: MessageOptions = {}): void {
  const bytes = parts.builder.response(arrived.request, status, {
    toTag: parts.builder.newTag(),
    transport: arrived.flow.transport,
    options,
  })
  arrived.transaction.respond(status, bytes)
}

/** 500 with the wait that RFC 3261 section 14.2 and RFC 3311 section 5.2 ask for: 0 to 10 s, at random. */
export function answerBusy(parts: CoreParts, arrived: Arrived): void {
  answer(parts, arrived, 500, { headers: [['Retry-After', String(parts.options.ids.integer(11))]] })
}

/** Answers OPTIONS outside a dialog as an INVITE would be (RFC 3261 section 11.2). */
export function answerProbe(parts: CoreParts, arrived: Arrived): void {
  if (parts.options.isAvailable?.() ?? true) answerOptions(parts, arrived)
  else answer(parts, arrived, 503, { headers: UNAVAILABLE_RETRY_AFTER })
}

/** Answers OPTIONS (RFC 3261 section 11.2). */
export function answerOptions(parts: CoreParts, arrived: Arrived): void {
  answer(parts, arrived, 200, { headers: [['Accept', parts.options.accept.join(', ')], ...ACCEPTED_ENCODING] })
}

/** Only unencoded bodies are taken. */
export const ACCEPTED_ENCODING: HeaderList = [['Accept-Encoding', 'identity']]
