// /api/call-records: calls that are over, and what was recorded of them.

import { Type } from 'typebox'
import { callParams } from '../contract.ts'
import type { HttpApp } from '../http-app.ts'
import { found } from '../http-error.ts'
import { operation } from '../operation.ts'
import type { CapturesView } from '../views.ts'
import { callRecord, callRecordList } from './call-record-contract.ts'
import type { CallRecordLog } from './call-record-log.ts'
import { recordVerdicts } from './record-verdicts.ts'

const time = (description: string) =>
  Type.Optional(Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\d(T[\\d:.]+Z)?$', description }))

const query = Type.Object(
  {
    before: Type.Optional(
      Type.Integer({ minimum: 1, description: 'seq of the oldest that is known: older ones follow' }),
    ),
    limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 100 }),
    text: Type.Optional(
      Type.String({ minLength: 1, maxLength: 128, description: 'in an id, a party, or what was dialled' }),
    ),
    verdict: Type.Optional(Type.Enum([...recordVerdicts])),
    since: time('the call ended then or later; ISO 8601, UTC'),
    until: time('the call ended then or earlier; ISO 8601, UTC'),
  },
  { additionalProperties: false },
)

const listRecords = operation(
  { id: 'listCallRecords', summary: 'Calls that are over, newest first', tag: 'calls', scope: 'calls:read' },
  { querystring: query, response: { 200: callRecordList } },
)
const getRecord = operation(
  {
    id: 'getCallRecord',
    summary: 'One call that is over: its recordings with their ledgers and receipts, the commands, why it ended',
    tag: 'calls',
    scope: 'calls:read',
  },
  { params: callParams, response: { 200: callRecord } },
)

/** Adds the routes. */
export function callRecordRoutes(
  app: HttpApp,
  records: Pick<CallRecordLog, 'list' | 'find'>,
  captures: Pick<CapturesView, 'list'> | undefined,
): void {
  app.get('/api/call-records', listRecords, async (request) => ({ items: await records.list(request.query) }))

  app.get('/api/call-records/:callId', getRecord, async (request) => {
    const record = found(await records.find(request.params.callId), 'call record')
    const { callId } = record.call
    const own = captures?.list().filter((capture) => capture.callId === callId) ?? []
    return {
      ...record,
      captures: own.map(({ id, beganAt, recorder, failure }) => ({ id, beganAt, recorder, failure })),
    }
  })
}
