// Recording commands by INFO in the audit log, as those by HTTP are.

import type { AuditLog } from '#control'
import { type Logger, messageOf } from '#kernel'
import type { Gateway } from './gateway.ts'

/** Audits the commands that the gateway gets by INFO; the returned function ends it. */
export function auditInfo(
  gateway: Pick<Gateway, 'recordingCommands'>,
  audit: Pick<AuditLog, 'append'>,
  log: Logger,
): () => void {
  return gateway.recordingCommands.add(({ activity, by, from = '', status, text, callId }) => {
    if (by !== 'info') return
    const written = audit.append({
      who: { kind: 'sip', name: from, id: '' },
      from,
      action: 'call.recording',
      target: { callId },
      detail: { activity, by, ...(status < 300 ? {} : { text }) },
      outcome: outcomeOf(status),
      status,
    })
    written.catch((fault: unknown) => {
      log.error('audit entry could not be written', { action: 'call.recording', fault: messageOf(fault) })
    })
  })
}

/** As for HTTP; the end of the call (487) refuses what it cuts off. */
function outcomeOf(status: number): 'done' | 'refused' | 'failed' {
  if (status < 300) return 'done'
  return status < 500 ? 'refused' : 'failed'
}
