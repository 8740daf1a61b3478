import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type LiveListener, LiveListeners } from './live-listeners.ts'

const frame = { channel: 0, sampleRateHz: 8000, samples: Int16Array.of(1) }

function listener(told: string[]): LiveListener {
  return {
    onStreams: () => told.push('streams'),
    onSound: () => told.push('sound'),
    onPause: (isPaused) => told.push(isPaused ? 'paused' : 'resumed'),
    onEnd: () => told.push('ended'),
  }
}

test('a recording is listened to while anybody listens, and told of its end', () => {
  const asked: string[] = []
  const listeners = new LiveListeners((id, isOn) => asked.push(`${id} ${isOn}`))
  const told: string[] = []
  const [first, second] = [listeners.add('r1', listener(told)), listeners.add('r1', listener([]))]
  listeners.sound('r1', [frame])
  listeners.sound('r2', [frame])
  first()
  first()
  second()
  assert.deepEqual(asked, ['r1 true', 'r1 false'])
  listeners.add('r1', listener(told))
  listeners.ended('r1')
  assert.deepEqual(told, ['sound', 'ended'])
})

test('what was on its way when a pause began is not heard in it', () => {
  const listeners = new LiveListeners(() => {})
  const told: string[] = []
  listeners.add('r1', listener(told))
  listeners.paused('r1', true)
  listeners.sound('r1', [frame])
  listeners.paused('r1', false)
  listeners.sound('r1', [frame])
  assert.deepEqual(told, ['paused', 'resumed', 'sound'])
})
