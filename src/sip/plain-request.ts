// A non-INVITE request to its outcome: RFC 3261 section 8.1 over the target walk.

import type { CoreParts } from './core-parts.ts'
import type { RequestPlan } from './message-builder.ts'
import type { Located } from './next-hop.ts'
import type { InviteOptions, RequestOutcome } from './session.ts'
import { TargetWalk } from './target-walk.ts'

/** Failure to find any target. */
export function unlocated(located: Located): RequestOutcome {
  return { status: 503, reason: located.ok ? 'no target' : located.error.message, cause: 'dns' }
}

/** Sends `plan` along the targets and reports the outcome once. */
export function sendPlain(
  parts: CoreParts,
  plan: RequestPlan,
  located: Located,
  done: (outcome: RequestOutcome) => void,
  options: Pick<InviteOptions, 'firstResponseTimeoutMs' | 'onTargetFailed'> = {},
): void {
  if (!located.ok || located.value.length === 0) {
    done(unlocated(located))
    return
  }
  const walk = new TargetWalk(
    parts,
    plan,
    located.value,
    {
      onResponse: (response) => {
        if (response.status < 200) return
        walk.stop()
        done({ status: response.status, reason: response.reason, cause: 'response', response })
      },
      onExhausted: done,
      ...(options.onTargetFailed === undefined ? {} : { onTargetFailed: options.onTargetFailed }),
    },
    options.firstResponseTimeoutMs,
  )
  walk.start()
}
