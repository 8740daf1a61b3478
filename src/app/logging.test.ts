import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger, type LogLevel } from './logging.ts'

function capture(level: LogLevel) {
  const lines: Record<string, unknown>[] = []
  const log = createLogger(level, { write: (line: string) => void lines.push(JSON.parse(line)) })
  return { log, lines }
}

test('a line is one JSON object with time, level, message and fields', () => {
  const { log, lines } = capture('debug')
  log.info('call answered', { callId: 'a', legs: 2 })
  const { time, ...rest } = lines[0]!
  assert.deepEqual(rest, { level: 'info', message: 'call answered', callId: 'a', legs: 2 })
  assert.ok(!Number.isNaN(Date.parse(String(time))))
})

test('a child adds its fields to each line, its own children keep them', () => {
  const { log, lines } = capture('info')
  const call = log.child({ callId: 'a' }).child({ leg: 'caller' })
  call.warn('no audio')
  call.error('media failed', { cause: 'x' })
  assert.deepEqual(
    lines.map(({ callId, leg, level }) => [callId, leg, level]),
    [
      ['a', 'caller', 'warn'],
      ['a', 'caller', 'error'],
    ],
  )
})

test('a number of a person stands in no line, in whatever field, and a recorder without one stays', () => {
  const { log, lines } = capture('info')
  const uri = 'sip:+493012345678@srs.example:5060;transport=tcp'
  log.warn('recorder is down', {
    recorder: uri,
    results: { [uri]: 'failed(503)' },
    gaps: [{ from: '<sips:0301234567@h>' }],
  })
  log.info('other ways', { a: 'tel:+49-30-123456', b: 'sip:%2B493012345678@h', c: 'tel:0301234567;phone-context=+49' })
  const { time: _, ...down } = lines[0]!
  assert.deepEqual(down, {
    level: 'warn',
    message: 'recorder is down',
    recorder: 'sip:***78@srs.example:5060;transport=tcp',
    results: { 'sip:***78@srs.example:5060;transport=tcp': 'failed(503)' },
    gaps: [{ from: '<sips:***67@h>' }],
  })
  assert.deepEqual(
    [lines[1]?.['a'], lines[1]?.['b'], lines[1]?.['c']],
    ['tel:***56', 'sip:***78@h', 'tel:***67;phone-context=+49'],
  )
  log.info('odd', { a: 'sip:+493012345678;isub=1@h', b: 'sip:0301234567:secret@h', c: 'sip:+49%2030%20123456@h' })
  assert.deepEqual(
    [lines[2]?.['a'], lines[2]?.['b'], lines[2]?.['c']],
    ['sip:***78;isub=1@h', 'sip:***67:secret@h', 'sip:***56@h'],
  )
  for (const plain of ['sip:srs@192.168.100.100:5060', 'sip:192.168.100.100:5060', 'sip:srs2@h', 'sip:1234@h']) {
    log.child({ recorder: plain }).info('stays')
    assert.equal(lines.at(-1)?.['recorder'], plain)
  }
})

test('lines below the level are dropped, and silent drops all', () => {
  const { log, lines } = capture('warn')
  log.debug('a')
  log.info('b')
  log.child({}).info('c')
  const silent = capture('silent')
  silent.log.error('d')
  assert.deepEqual([...lines, ...silent.lines], [])
})
