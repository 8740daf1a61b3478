// A request outside of a dialog, before it is known where it goes: RFC 3261 section 8.1.1.

import { DigestClient } from './auth/digest-client.ts'
import type { CoreParts } from './core-parts.ts'
import { uriOf } from './dialog/dialog-state.ts'
import { type RequestPlan, withTag } from './message-builder.ts'
import type { InviteOptions, SessionTimerWish } from './session.ts'
import { DialogSessionIds } from './session-id.ts'
import { TimerTerms } from './session-timer/timer-terms.ts'

const FIRST_CSEQ = 1

/** The plan of an initial or stand-alone request, and the URI to resolve for it. */
export function initialPlan(
  parts: CoreParts,
  method: string,
  options: InviteOptions,
): { plan: RequestPlan; hop: string; digest: DigestClient | undefined; terms: TimerTerms | undefined } {
  const digest = options.credentials && new DigestClient(options.credentials, parts.options.ids)
  const terms = termsOf(parts, method === 'INVITE' ? options.sessionTimer : undefined)
  let cseqNumber = FIRST_CSEQ
  const contact = {
    user: options.contactUser ?? parts.options.contactUser,
    params: options.contactParams ?? parts.options.contactParams,
  }
  const fromTag = parts.builder.newTag()
  const callId = options.callId ?? parts.builder.newCallId()
  const sessionIds = new DialogSessionIds(callId, fromTag, '')
  if (options.represented !== undefined) sessionIds.represent(options.represented)
  const plan: RequestPlan = {
    method,
    uri: options.uri,
    routes: [],
    from: withTag(options.from, fromTag),
    to: `<${options.toUri ?? options.uri}>`,
    callId,
    cseqNumber,
    contact,
    ...(method === 'INVITE' && { sessionIds }),
    maxForwards: options.maxForwards,
    options,
    retrying: {
      amendments: [digest?.amendment(), terms?.amendment(() => undefined)].filter((one) => one !== undefined),
      nextCSeq: () => {
        cseqNumber += 1
        return cseqNumber
      },
    },
  }
  const route = options.headers?.find(([name]) => name.toLowerCase() === 'route')
  return { plan, hop: route === undefined ? options.uri : uriOf(route[1]), digest, terms }
}

/** Our side of a session timer; undefined when the core supports none. */
export function termsOf(parts: CoreParts, wish: SessionTimerWish | undefined): TimerTerms | undefined {
  return parts.options.supported.includes('timer') ? new TimerTerms(wish) : undefined
}
