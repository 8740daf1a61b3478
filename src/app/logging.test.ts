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

test('lines below the level are dropped, and silent drops all', () => {
  const { log, lines } = capture('warn')
  log.debug('a')
  log.info('b')
  log.child({}).info('c')
  const silent = capture('silent')
  silent.log.error('d')
  assert.deepEqual([...lines, ...silent.lines], [])
})
