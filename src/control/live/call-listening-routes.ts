// /api/calls/{callId}/levels and /listen: how loud the parties of a call are, and what they say.

import { type Static, Type } from 'typebox'
import type { Clock } from '#kernel'
import { callParams } from '../contract.ts'
import type { HttpApp } from '../http-app.ts'
import { found } from '../http-error.ts'
import { operation } from '../operation.ts'
import { keepPulse } from '../socket-pulse.ts'
import { type Hearer, listenQuery, sendSound, upgradeRequired } from './listen-socket.ts'
import { levelView } from './live-session-routes.ts'

const closed = { additionalProperties: false }
const partyLevel = Type.Object(
  { leg: Type.String(), role: Type.String(), level: Type.Optional(levelView) },
  { ...closed, description: 'without `level` while the party is not heard' },
)
const levelList = Type.Object({ items: Type.Array(partyLevel) }, closed)

/** Listening to calls. */
export interface CallListening {
  /** Of the parties, as measured last; measuring begins with the first time, and ends when nobody asks. Undefined: no such call. */
  levels(callId: string): Static<typeof partyLevel>[] | undefined
  /** Undefined: no such call; the returned function ends it. */
  listen(callId: string, hearer: Hearer): (() => void) | undefined
}

const getLevels = operation(
  {
    id: 'getCallLevels',
    summary: 'How loud the parties of a call are',
    description:
      'May be asked four times a second. A call is measured from the first time on, until nobody asks for 5 seconds.',
    tag: 'calls',
    scope: 'calls:read',
  },
  { params: callParams, response: { 200: levelList } },
)
const listenCall = operation(
  {
    id: 'listenToCall',
    summary: 'Hear the parties of a call, by WebSocket',
    description:
      'Messages are those of `listenToRecordingSession`, one channel per party; `streams` comes again when somebody joins. Nothing is heard while a recording of the call is paused.',
    tag: 'calls',
    scope: 'calls:listen',
    audit: { action: 'call.listen', isStrict: true },
  },
  { params: callParams, querystring: listenQuery },
)

/** Adds the routes. */
export function callListeningRoutes(app: HttpApp, listening: CallListening, clock: Clock): void {
  app.get('/api/calls/:callId/levels', getLevels, async (request) => {
    const items = found(listening.levels(request.params.callId), 'call')
    return { items }
  })

  app.route({
    method: 'GET',
    url: '/api/calls/:callId/listen',
    ...listenCall,
    handler: upgradeRequired,
    wsHandler: (socket, request) => {
      const { params, query } = request
      keepPulse(socket, clock)
      sendSound(socket, (hearer) => listening.listen(params.callId, hearer), query.channel)
    },
  })
}
