// Recorders that ask for calls of this gateway, by its configuration.

import type { CallService } from '#call'
import type { Logger } from '#kernel'
import { RecorderInvitations, type RecordingClient } from '#recording-client'
import type { GatewayConfig } from './config-schema.ts'
import type { RecordingCommands } from './recording-commands.ts'
import { createSourceList } from './source-list.ts'

/** Makes what answers recorders; `service` is asked for when the first INVITE has come. */
export function createInvitations(
  { recording }: GatewayConfig,
  parts: {
    readonly service: () => CallService
    readonly client: () => RecordingClient
    readonly commands: RecordingCommands
    readonly log: Logger
  },
): RecorderInvitations {
  const { service, client, commands, log } = parts
  return new RecorderInvitations({
    rules: recording.invitations.map(({ sources, ...rule }) => {
      const list = createSourceList(sources)
      return { ...rule, isFrom: (host: string) => list.has(host) }
    }),
    client,
    calls: () => service().calls(),
    start: async ({ callId }, uri, invitation) => {
      const call = service().call(callId)
      if (call === undefined) return { status: 404, text: 'No Such Call', results: {} }
      const command = { activity: 'start', server: `<${uri}>`, recordingId: '' } as const
      return await commands.execute(call, command, { origin: 'recorder', invitation })
    },
    log,
  })
}
