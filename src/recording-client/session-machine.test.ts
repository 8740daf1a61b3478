import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type SessionInput,
  SessionMachine,
  type SessionOutput,
  type SessionState,
  sessionEdges,
} from './session-machine.ts'

/** Inputs by short name. */
const inputs = {
  ports: { type: 'ports-ready' },
  accepted: { type: 'accepted' },
  refused: { type: 'refused', status: 486, reason: 'Busy' },
  broken: { type: 'answer-broken', status: 488, reason: 'no SDP' },
  'give-up': { type: 'give-up' },
  record: { type: 'wish', wish: 'recording' },
  pause: { type: 'wish', wish: 'paused' },
  stop: { type: 'wish', wish: 'stopped' },
  doc: { type: 'document-changed' },
  answered: { type: 'reoffer-answered' },
  unanswered: { type: 'reoffer-failed', status: 488 },
  retry: { type: 'retry-due' },
  farewell: { type: 'farewell-done' },
  ended: { type: 'dialog-ended', reason: 'remote-bye' },
  'no-streams': { type: 'streams-gone' },
} as const satisfies Record<string, SessionInput>

type InputName = keyof typeof inputs
const inputNames = Object.keys(inputs) as InputName[]

/** An output in a few letters. */
function shortOf(output: SessionOutput): string {
  switch (output.type) {
    case 'invite':
      return `invite ${output.direction}`
    case 'reoffer':
      return `reoffer ${output.direction}${output.withDocument ? ' +doc' : ''}`
    case 'set-retry':
      return `retry ${output.afterMs}`
    case 'report':
      return 'status' in output.report ? `${output.report.type} ${output.report.status}` : output.report.type
    default:
      return output.type
  }
}

function after(path: string): SessionMachine {
  const machine = new SessionMachine('recording')
  for (const name of path.split(' ').filter(Boolean)) machine.handle(inputs[name as InputName])
  return machine
}

/** What each state makes of each input, as `outputs -> state`; what is not named changes nothing. */
const table: Record<SessionState, { path: string; cells: Partial<Record<InputName, string>> }> = {
  preparing: {
    path: '',
    cells: {
      ports: 'invite sendonly -> inviting',
      accepted: 'bye -> preparing',
      refused: 'remove-forks, failed 486 -> failed',
      broken: 'bye, remove-forks, failed 488 -> failed',
      'give-up': 'remove-forks, failed 408 -> failed',
      stop: 'remove-forks, closed -> closed',
      ended: 'remove-forks, failed 480 -> failed',
    },
  },
  inviting: {
    path: 'ports',
    cells: {
      accepted: 'open-gates, accepted -> active',
      refused: 'remove-forks, failed 486 -> failed',
      broken: 'bye, remove-forks, failed 488 -> failed',
      'give-up': 'cancel, remove-forks, failed 408 -> failed',
      stop: 'cancel, remove-forks, closed -> closed',
      ended: 'remove-forks, failed 480 -> failed',
      answered: ' -> inviting',
    },
  },
  active: {
    path: 'ports accepted',
    cells: {
      accepted: 'bye -> active',
      broken: 'bye -> active',
      pause: 'reoffer inactive -> gated',
      stop: 'remove-forks, farewell -> closing',
      doc: 'reoffer sendonly +doc -> active',
      ended: 'remove-forks, lost -> lost',
      'no-streams': 'bye, remove-forks, lost -> lost',
    },
  },
  gated: {
    path: 'ports accepted pause answered',
    cells: {
      accepted: 'bye -> gated',
      broken: 'bye -> gated',
      record: 'reoffer sendonly -> gated',
      stop: 'remove-forks, farewell -> closing',
      doc: 'reoffer inactive +doc -> gated',
      ended: 'remove-forks, lost -> lost',
      'no-streams': 'bye, remove-forks, lost -> lost',
    },
  },
  closing: {
    path: 'ports accepted stop',
    cells: {
      accepted: 'bye -> closing',
      broken: 'bye -> closing',
      farewell: 'closed -> closed',
      ended: 'closed -> closed',
    },
  },
  closed: { path: 'ports stop', cells: { accepted: 'bye -> closed', broken: 'bye -> closed' } },
  failed: { path: 'ports refused', cells: { accepted: 'bye -> failed', broken: 'bye -> failed' } },
  lost: { path: 'ports accepted ended', cells: { accepted: 'bye -> lost', broken: 'bye -> lost' } },
}

for (const [state, { path, cells }] of Object.entries(table)) {
  for (const name of inputNames) {
    // An offer of ours that is unanswered has rows of its own below.
    if (state === 'inviting' && (name === 'answered' || name === 'unanswered')) continue
    const expected = cells[name] ?? ` -> ${state}`
    test(`a session that is ${state}, told ${name}: ${expected}`, () => {
      const machine = after(path)
      assert.equal(machine.state, state)
      const outputs = machine.handle(inputs[name])
      assert.equal(`${outputs.map(shortOf).join(', ')} -> ${machine.state}`, expected)
    })
  }
}

/** Longer stories: path | input | outputs -> state. */
const stories = [
  ['paused before its ports are there, it offers inactive', 'pause', 'ports', 'invite inactive -> inviting'],
  ['accepted while paused, it stays gated', 'pause ports', 'accepted', 'accepted -> gated'],
  [
    'paused while inviting, it signals after the answer',
    'ports pause',
    'accepted',
    'accepted, reoffer inactive -> gated',
  ],
  [
    'changed while inviting, it sends the document after the answer',
    'ports doc',
    'accepted',
    'open-gates, accepted, reoffer sendonly +doc -> active',
  ],
  ['changed before the INVITE, it sends no second document', 'doc ports', 'accepted', 'open-gates, accepted -> active'],
  ['a pause that was answered is reported', 'ports accepted pause', 'answered', 'paused -> gated'],
  [
    'media flows again only after the answer',
    'ports accepted pause answered record',
    'answered',
    'open-gates, resumed -> active',
  ],
  [
    'resumed while the pause is signalled, it signals the resumption next',
    'ports accepted pause record',
    'answered',
    'reoffer sendonly -> gated',
  ],
  [
    'paused again while the resumption is signalled',
    'ports accepted pause answered record pause',
    'answered',
    'reoffer inactive -> gated',
  ],
  ['a second change waits for the running re-offer', 'ports accepted doc', 'doc', ' -> active'],
  ['and is sent after its answer', 'ports accepted doc doc', 'answered', 'reoffer sendonly +doc -> active'],
  [
    'a pause during a document re-offer waits for its answer',
    'ports accepted doc pause',
    'answered',
    'reoffer inactive -> gated',
  ],
  [
    'a refused pause stays gated and is retried',
    'ports accepted pause',
    'unanswered',
    'signal-failed 488, retry 2000 -> gated',
  ],
  ['the retry offers again', 'ports accepted pause unanswered', 'retry', 'reoffer inactive -> gated'],
  ['retries back off', 'ports accepted pause unanswered retry', 'unanswered', 'signal-failed 488, retry 4000 -> gated'],
  [
    'a document that was refused counts as never sent',
    'ports accepted doc unanswered',
    'retry',
    'reoffer sendonly +doc -> active',
  ],
  [
    'resumed while a pause is signalled that is then refused, it goes on at once',
    'ports accepted pause record',
    'unanswered',
    'signal-failed 488, open-gates, resumed -> active',
  ],
  [
    'resumed after a pause that was refused, it goes on at once',
    'ports accepted pause unanswered',
    'record',
    'open-gates, resumed -> active',
  ],
  [
    'a refused resumption leaves it gated',
    'ports accepted pause answered record',
    'unanswered',
    'signal-failed 488, retry 2000 -> gated',
  ],
  ['a resumption given up needs no signal', 'ports accepted pause answered record unanswered', 'pause', ' -> gated'],
  ['a farewell is not disturbed by a late answer', 'ports accepted doc stop', 'answered', ' -> closing'],
  ['nor by a late refusal', 'ports accepted doc stop', 'unanswered', ' -> closing'],
] as const

for (const [name, path, input, expected] of stories) {
  test(name, () => {
    const machine = after(path)
    const outputs = machine.handle(inputs[input])
    assert.equal(`${outputs.map(shortOf).join(', ')} -> ${machine.state}`, expected)
  })
}

test('a refused offer is repeated without end, told five times; a new wish begins anew', () => {
  const machine = after('ports accepted pause')
  const outputs: string[] = []
  for (let tries = 0; tries < 7; tries++) {
    outputs.push(...machine.handle(inputs.unanswered).map(shortOf))
    machine.handle(inputs.retry)
  }
  assert.deepEqual(
    outputs.filter((output) => output.startsWith('retry')),
    ['retry 2000', 'retry 4000', 'retry 8000', 'retry 16000', 'retry 32000', 'retry 60000', 'retry 60000'],
  )
  assert.equal(outputs.filter((output) => output.startsWith('signal-failed')).length, 5)
  machine.handle(inputs.pause)
  assert.deepEqual(machine.handle(inputs.unanswered).map(shortOf), ['signal-failed 488', 'retry 2000'])
})

test('whatever happens, a session moves along its edges, ends once, and opens no gate that is not wanted', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...inputNames), { maxLength: 60 }), (names) => {
      let wish = 'recording'
      let ends = 0
      const machine = new SessionMachine('recording', (from, to) => assert.ok(sessionEdges[from].includes(to)))
      for (const name of names) {
        if (name === 'record') wish = 'recording'
        if (name === 'pause') wish = 'paused'
        if (name === 'stop') wish = 'stopped'
        for (const output of machine.handle(inputs[name]).map(shortOf)) {
          if (output === 'open-gates') assert.equal(wish, 'recording')
          if (/^(closed|lost|failed \d+)$/.test(output)) ends += 1
        }
      }
      assert.equal(ends, ['closed', 'lost', 'failed'].includes(machine.state) ? 1 : 0)
    }),
  )
})
