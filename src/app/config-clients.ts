// Configuration of what the recorder expects of its clients.

import { Type } from 'typebox'
import { text } from './config-leaf.ts'
import { destinations, sources } from './config-network.ts'

const STRICTNESS =
  'What becomes of a client that departs from the RFCs: off tolerates and tells, report answers the same but counts violations, refuse answers its INVITE with the status that the RFCs have for it.'
const PLAIN =
  'What becomes of ordinary calls without any sign of SIPREC: record, with the parties of From and To, or refuse.'
const TOLERATED = 'Codes of deviations that refuse tolerates all the same; docs/recorder-vendors.md lists them.'

const codes = { maxItems: 100, uniqueItems: true }
const code = text({ pattern: '^[a-z-]{2,40}$', expects: 'the code of a deviation' })

/** Keys of the recorder about its clients. */
export const clientKeys = {
  strict: Type.Enum(['off', 'report', 'refuse'], { default: 'off', description: STRICTNESS }),
  plainCalls: Type.Enum(['record', 'refuse'], { default: 'record', description: PLAIN }),
  tolerate: Type.Array(code, { ...codes, default: [], description: TOLERATED }),
  invite: destinations(
    'Hosts whose clients the recorder may invite to be recorded, by POST /api/recorder/invitations; nobody unless listed.',
  ),
  clients: Type.Array(
    Type.Object(
      {
        sources: sources('Addresses and networks of these clients.'),
        strict: Type.Optional(Type.Enum(['off', 'report', 'refuse'], { description: STRICTNESS })),
        plainCalls: Type.Optional(Type.Enum(['record', 'refuse'], { description: PLAIN })),
        tolerate: Type.Optional(Type.Array(code, { ...codes, description: TOLERATED })),
      },
      { additionalProperties: false },
    ),
    {
      maxItems: 100,
      default: [],
      description: 'Clients of which something else is expected; the first entry with their address counts.',
    },
  ),
}
