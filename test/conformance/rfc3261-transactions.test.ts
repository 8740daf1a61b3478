// RFC 3261 figures 5 to 8 and RFC 6026 as data: one row per arrow.
// The machines are reached by path, not by the door: they are the core's own.

import assert from 'node:assert/strict'
import test from 'node:test'
import { InviteClientMachine } from '../../src/sip/transaction/invite-client.ts'
import { InviteServerMachine } from '../../src/sip/transaction/invite-server.ts'
import { NonInviteClientMachine } from '../../src/sip/transaction/non-invite-client.ts'
import { NonInviteServerMachine } from '../../src/sip/transaction/non-invite-server.ts'
import { DEFAULT_TIMERS } from '../../src/sip/transaction/timer-values.ts'

interface AnyMachine {
  readonly state: string
  handle(input: never): Array<{ type: string; timer?: string; afterMs?: number }>
}

type Responses = 'response' | 'respond'

/** `1xx`…`6xx` are responses, a letter or `timer-x` is a timer, anything else the input itself. */
function inputOf(text: string, responses: Responses): never {
  const status = /^(\d)xx$/.exec(text)?.[1]
  if (status !== undefined) return { type: responses, status: Number(status) * 100 + 80 } as never
  if (/^[A-Z]$/.test(text)) return { type: 'timer', timer: text } as never
  return (text.startsWith('timer-') ? { type: 'timer', timer: text.slice(6) } : { type: text }) as never
}

/** Rows read: name | inputs that lead to the state it starts from | input | outputs | state after it. */
function runArrows(
  figure: string,
  make: (reliable: boolean) => AnyMachine,
  responses: Responses,
  rows: readonly string[],
): void {
  for (const row of rows) {
    const [name = '', before = '', input = '', outputs = '', state = ''] = row.split('|').map((cell) => cell.trim())
    test(`SIP-12: ${figure}: ${name}`, () => {
      const machine = make(name.startsWith('reliable: '))
      for (const earlier of before.split(' ').filter(Boolean)) machine.handle(inputOf(earlier, responses))
      const heard = machine.handle(inputOf(input, responses)).map(({ type, timer, afterMs }) => {
        if (type === 'set-timer') return `set ${timer} ${afterMs}`
        return type === 'clear-timer' ? `clear ${timer}` : type
      })
      assert.equal(heard.join(', ') || 'nothing', outputs)
      assert.equal(machine.state, state)
    })
  }
}

runArrows('figure 5 (INVITE client)', (reliable) => new InviteClientMachine(DEFAULT_TIMERS, reliable), 'response', [
  'INVITE from the user |  | start | send-request, set A 500, set B 32000 | calling',
  'reliable: INVITE from the user |  | start | send-request, set B 32000 | calling',
  'timer A doubles | start | A | send-request, set A 1000 | calling',
  'timer A doubles without limit | start A A A | A | send-request, set A 8000 | calling',
  'timer B | start | B | timeout, terminated | terminated',
  'transport error in Calling | start | transport-error | transport-failed, terminated | terminated',
  '1xx in Calling | start | 1xx | clear A, clear B, pass-response | proceeding',
  '1xx in Proceeding | start 1xx | 1xx | pass-response | proceeding',
  'late timer A in Proceeding | start 1xx | A | nothing | proceeding',
  'transport error in Proceeding | start 1xx | transport-error | transport-failed, terminated | terminated',
  'cancelled and never answered | start 1xx | abandon | terminated | terminated',
  '2xx in Calling (RFC 6026) | start | 2xx | clear A, clear B, pass-response, set M 32000 | accepted',
  '2xx in Proceeding (RFC 6026) | start 1xx | 2xx | pass-response, set M 32000 | accepted',
  'reliable: 2xx in Proceeding (RFC 6026) | start 1xx | 2xx | pass-response, set M 32000 | accepted',
  'another 2xx in Accepted | start 2xx | 2xx | pass-response | accepted',
  'anything else in Accepted | start 2xx | 4xx | nothing | accepted',
  'timer M | start 2xx | M | terminated | terminated',
  '300-699 in Calling | start | 4xx | clear A, clear B, send-ack, pass-response, set D 32000 | completed',
  '300-699 in Proceeding | start 1xx | 3xx | send-ack, pass-response, set D 32000 | completed',
  'reliable: 300-699 in Proceeding | start 1xx | 6xx | send-ack, pass-response, terminated | terminated',
  '300-699 in Completed | start 5xx | 5xx | send-ack | completed',
  'transport error of the ACK | start 5xx | transport-error | transport-failed, terminated | terminated',
  'timer D | start 5xx | D | terminated | terminated',
])

runArrows(
  'figure 6 (non-INVITE client)',
  (reliable) => new NonInviteClientMachine(DEFAULT_TIMERS, reliable),
  'response',
  [
    'request from the user |  | start | send-request, set E 500, set F 32000 | trying',
    'reliable: request from the user |  | start | send-request, set F 32000 | trying',
    'timer E doubles | start | E | send-request, set E 1000 | trying',
    'timer E stops at T2 | start E E E | E | send-request, set E 4000 | trying',
    'timer F in Trying | start | F | timeout, terminated | terminated',
    'transport error in Trying | start | transport-error | transport-failed, terminated | terminated',
    '1xx in Trying | start | 1xx | pass-response | proceeding',
    '1xx in Proceeding | start 1xx | 1xx | pass-response | proceeding',
    'timer E in Proceeding is T2 | start 1xx | E | send-request, set E 4000 | proceeding',
    'timer F in Proceeding | start 1xx | F | timeout, terminated | terminated',
    'transport error in Proceeding | start 1xx | transport-error | transport-failed, terminated | terminated',
    '200-699 in Trying | start | 2xx | clear E, clear F, pass-response, set K 5000 | completed',
    'reliable: 200-699 in Trying | start | 4xx | clear E, clear F, pass-response, terminated | terminated',
    '200-699 in Proceeding | start 1xx | 5xx | clear E, clear F, pass-response, set K 5000 | completed',
    'response in Completed | start 2xx | 2xx | nothing | completed',
    'timer K | start 2xx | K | terminated | terminated',
  ],
)

runArrows('figure 7 (INVITE server)', (reliable) => new InviteServerMachine(DEFAULT_TIMERS, reliable), 'respond', [
  '1xx from the user |  | 1xx | send-response | proceeding',
  'INVITE again before any response |  | request | nothing | proceeding',
  'INVITE again in Proceeding | 1xx | request | send-response | proceeding',
  'transport error in Proceeding | 1xx | transport-error | transport-failed, terminated | terminated',
  '2xx from the user (RFC 6026) | 1xx | 2xx | send-response, set L 32000 | accepted',
  'reliable: 2xx from the user (RFC 6026) |  | 2xx | send-response, set L 32000 | accepted',
  'INVITE again in Accepted | 2xx | request | nothing | accepted',
  '2xx again from the user | 2xx | 2xx | send-response | accepted',
  'ACK in Accepted | 2xx | ack | pass-ack | accepted',
  'transport error in Accepted | 2xx | transport-error | transport-failed | accepted',
  'timer L | 2xx | L | terminated | terminated',
  '300-699 from the user | 1xx | 4xx | send-response, set G 500, set H 32000 | completed',
  'reliable: 300-699 from the user |  | 4xx | send-response, set H 32000 | completed',
  'INVITE again in Completed | 4xx | request | send-response | completed',
  'timer G doubles | 4xx | G | send-response, set G 1000 | completed',
  'timer G stops at T2 | 4xx G G G | G | send-response, set G 4000 | completed',
  'timer H | 4xx | H | timeout, terminated | terminated',
  'transport error in Completed | 4xx | transport-error | transport-failed, terminated | terminated',
  'ACK in Completed | 4xx | ack | clear G, clear H, set I 5000 | confirmed',
  'reliable: ACK in Completed | 4xx | ack | clear G, clear H, terminated | terminated',
  'ACK again in Confirmed | 4xx ack | ack | nothing | confirmed',
  'timer I | 4xx ack | I | terminated | terminated',
])

runArrows(
  'figure 8 (non-INVITE server)',
  (reliable) => new NonInviteServerMachine(DEFAULT_TIMERS, reliable),
  'respond',
  [
    'request passed to the user |  | start | set trying 3500, set answer-by 31000 | trying',
    'request again in Trying | start | request | nothing | trying',
    '100 is due (RFC 4320) | start | timer-trying | need-trying | trying',
    '1xx from the user | start | 1xx | send-response | proceeding',
    'no 100 after a 1xx | start 1xx | timer-trying | nothing | proceeding',
    'request again in Proceeding | start 1xx | request | send-response | proceeding',
    '1xx again from the user | start 1xx | 1xx | send-response | proceeding',
    'the last moment to answer (RFC 4320) | start 1xx | timer-answer-by | need-final | proceeding',
    'transport error in Proceeding | start 1xx | transport-error | transport-failed, terminated | terminated',
    '200-699 from the user | start | 2xx | clear trying, clear answer-by, send-response, set J 32000 | completed',
    'reliable: 200-699 from the user | start | 2xx | clear trying, clear answer-by, send-response, terminated | terminated',
    '200-699 in Proceeding | start 1xx | 4xx | clear trying, clear answer-by, send-response, set J 32000 | completed',
    'request again in Completed | start 2xx | request | send-response | completed',
    'transport error in Completed | start 2xx | transport-error | transport-failed, terminated | terminated',
    'timer J | start 2xx | J | terminated | terminated',
  ],
)

test('SIP-12: base values are settable, and timer D never falls below 32 s', () => {
  const quick = { t1Ms: 50, t2Ms: 400, t4Ms: 500 }
  const client = new InviteClientMachine(quick, false)
  const started = client.handle({ type: 'start' })
  assert.deepEqual(started.at(-1), { type: 'set-timer', timer: 'B', afterMs: 3200 })
  assert.deepEqual(client.handle({ type: 'response', status: 486 }).at(-1), {
    type: 'set-timer',
    timer: 'D',
    afterMs: 32_000,
  })
})
