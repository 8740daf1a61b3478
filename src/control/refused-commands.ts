// Recording commands by HTTP that no call was asked for: a compliance officer is to see a refused pause, whoever has refused it.

import type { HttpApp } from './http-app.ts'
import { errorAnswer, HttpError } from './http-error.ts'
import type { CallsView, CommandRefusal } from './views.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    activityOf?: ActivityOf
  }
}

/** What a body commands, `unknown` where that cannot be made out; undefined: it is about something else. The body may be anything. */
export type ActivityOf = (body: unknown) => CommandRefusal['activity'] | undefined

const MAX_TEXT = 200
/** Of what does not fit; who may not come in at all is known to the audit log. */
const UNFIT = new Set([400, 413, 415])
const CONTROL_OFF = 'recording-control-off'
/** A call that refuses tells of that itself. */
const REFUSED_BY_CALL = 'recording-refused'

/** Tells of the commands of routes that say what their bodies command. */
export function tellRefusedCommands(app: HttpApp, calls: Pick<CallsView, 'refused'>): void {
  app.addHook('onError', async ({ routeOptions, params, body }, _reply, error) => {
    const { activityOf } = routeOptions.config
    const { callId } = (params ?? {}) as { readonly callId?: string }
    if (activityOf === undefined || callId === undefined) return
    const code = error instanceof HttpError ? error.code : ''
    const status = error instanceof HttpError ? error.status : (error.statusCode ?? 500)
    if (code === REFUSED_BY_CALL || !(UNFIT.has(status) || code === CONTROL_OFF)) return
    const activity = activityOf(body)
    if (activity !== undefined) calls.refused(callId, { activity, status, text: textOf(error) })
  })
}

/** What is said to who asked, in one line. */
function textOf(error: Error): string {
  const { message, details } = errorAnswer(error).body
  const [first] = Array.isArray(details) ? (details as { readonly path: string; readonly expected: string }[]) : []
  const text = first === undefined ? message : `${message}: ${first.path} ${first.expected}`
  return text.replace(/[^\x20-\x7e]/g, ' ').slice(0, MAX_TEXT)
}
