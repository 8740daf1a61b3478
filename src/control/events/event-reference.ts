// The reference page of the events, made from the vocabulary.

import { eventVocabulary } from './event-vocabulary.ts'

interface SchemaNode {
  readonly type?: string
  readonly description?: string
  readonly items?: SchemaNode
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
}

/** Markdown of `docs/reference/events.md`. */
export function eventReference(): string {
  const lines = [
    '# Events',
    '',
    'One vocabulary for WebSocket, server-sent events, lists (all three at `/api/events`) and webhooks. This page is made from the schemas.',
    '',
    'Each event is an object:',
    '',
    '| field | meaning |',
    '|---|---|',
    '| `id` | integer; rises by one with every event and goes on rising after a restart |',
    '| `time` | ISO 8601, UTC |',
    '| `type` | as below |',
    '| `callId` | the call, where there is one |',
    '| `recording` | a recording of a call, as the recording client names it |',
    "| `recordingId` | a recording in our recorder's store |",
    '| `recorder` | URI of a recorder |',
    '| `data` | by type, as below |',
    '',
    'Who comes back gives the last id that it has, as `Last-Event-ID` or as `?after=`, and gets what came since. Only the latest events are kept',
    '(`http.events.keep`); where some are gone, `events.missed` stands in their place. `?types=recording.*,call.ended`, `?callId=` and',
    '`?recordingId=` choose among them.',
    '',
  ]
  for (const group of ['call', 'recording', 'recorder', 'spool', 'session', 'flow', 'events'] as const) {
    lines.push(`## ${group}.*`, '', groups[group], '', '| type | when | data |', '|---|---|---|')
    for (const [type, { about, data }] of Object.entries(eventVocabulary)) {
      if (type.startsWith(`${group}.`)) lines.push(`| \`${type}\` | ${about} | ${dataText(data as SchemaNode)} |`)
    }
    lines.push('')
  }
  return [...lines, ...webhookText].join('\n')
}

const webhookText = [
  '## Webhooks',
  '',
  'Each entry of `http.webhooks` gets the events that it chose by POST, one after the other, in order, each as a JSON object in the body.',
  'Any status from 200 to 299 takes it. Anything else is tried again, after 1 s, 2 s, 4 s … 1 h (a fifth more or less), or when `Retry-After` says;',
  'after `attempts` the event is put aside, and the next has its turn. What waits and what was put aside is kept over restarts, in',
  '`http.folder`; `GET /api/webhooks` and `GET /api/webhooks/{webhookId}/dead-letters` show it, and',
  '`POST /api/webhooks/{webhookId}/dead-letters/{eventId}/retry` has it delivered behind what waits.',
  '',
  '| header | value |',
  '|---|---|',
  '| `webhook-id`, `idempotency-key` | `evt_` and the id of the event; the same each time that it is tried |',
  '| `webhook-timestamp` | seconds since 1970 of this attempt |',
  '| `webhook-signature` | `v1,` and HMAC-SHA256 in base64 over `webhook-id.webhook-timestamp.body`, with the secret as key |',
  '',
]

const groups = {
  call: 'Calls of the gateway, with `callId`.',
  recording: 'Recordings of calls, with `callId` and `recording`.',
  recorder:
    'One recorder of a recording, with `callId`, `recording` and `recorder`; `up` and `down` have `recorder` only.',
  spool: 'Recordings for which no recorder can be had, with `callId` and `recording`.',
  session: 'Recording sessions at our own recorder, with `recordingId`.',
  flow: 'Flow files that are read again while the program runs.',
  events: 'Of the stream itself.',
} as const

function dataText({ properties = {}, required = [] }: SchemaNode): string {
  const fields = Object.entries(properties).map(([name, node]) => {
    const isOptional = required.includes(name) ? '' : '?'
    const description = node.description === undefined ? '' : `: ${node.description}`
    return `\`${name}${isOptional}\` (${typeText(node)})${description}`
  })
  return fields.length === 0 ? 'none' : fields.join('; ')
}

function typeText({ type = 'any', items, properties }: SchemaNode): string {
  if (items !== undefined) return `list of ${typeText(items)}`
  return properties === undefined ? type : `{ ${Object.keys(properties).join(', ')} }`
}
