// Recording control by INFO: who may, what names stand for, and who is told.

import type { Call } from '#call'
import { RecordingInfo } from '#control'
import type { Logger } from '#kernel'
import type { IncomingRequest } from '#sip'
import type { CallSids } from './call-sids.ts'
import type { CommandReports } from './command-reports.ts'
import type { GatewayConfig } from './config-schema.ts'
import type { RecordingCommands } from './recording-commands.ts'
import { createSourceList } from './source-list.ts'

/** The INFOs of all calls. */
export interface InfoControl {
  /** Takes an INFO that is a recording command; false when it is something else. */
  handle(call: Call, incoming: IncomingRequest): boolean
}

/** Makes the control of recordings by INFO. */
export function createInfoControl(
  { trustedPeers, recorderGroups }: GatewayConfig['info'],
  commands: Pick<RecordingCommands, 'execute'>,
  { reports, sids }: { readonly reports: Pick<CommandReports, 'add'>; readonly sids: CallSids },
  log: Logger,
): InfoControl {
  const trusted = createSourceList(trustedPeers)
  const groups = new Map(Object.entries(recorderGroups))
  const known = new WeakMap<Call, RecordingInfo>()
  const infoOf = (call: Call): RecordingInfo => {
    const { callId } = call
    const made = new RecordingInfo({
      execute: (command) => {
        const { headers, application } = command
        if (application?.callSid !== undefined) sids.learn(application.callSid, call)
        return commands.execute(call, command, { origin: 'info', headers, ...(application && { application }) })
      },
      isTrusted: ({ remote }) => trusted.has(remote.host),
      groups,
      onAnswered: (outcome) => reports.add(call, { ...outcome, by: 'info' }),
      log: log.child({ callId }),
    })
    known.set(call, made)
    call.onEnded(() => made.abandon())
    return made
  }
  return { handle: (call, incoming) => (known.get(call) ?? infoOf(call)).handle(incoming) }
}
