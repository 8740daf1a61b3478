import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge, parsePolicy, type SlotStanding } from './success-policy.ts'

function slots(...standings: readonly SlotStanding['standing'][]): SlotStanding[] {
  return standings.map((standing, at) => ({ names: [`sip:r${at}`, at === 0 ? 'archive' : 'default'], standing }))
}

function verdictOf(text: string, ...standings: readonly SlotStanding['standing'][]): string {
  const policy = parsePolicy(text)
  assert.ok(policy.ok)
  return judge(policy.value.success, slots(...standings))
}

for (const [text, standings, verdict] of [
  ['any', ['gone', 'carried'], 'met'],
  ['any', ['gone', 'open'], 'open'],
  ['any', ['gone', 'gone'], 'unmet'],
  ['any', ['held', 'carried'], 'met'],
  ['any', ['held', 'held'], 'met'],
  ['any', ['held', 'open'], 'open'],
  ['any', ['held', 'gone'], 'open'],
  ['all', ['carried', 'carried'], 'met'],
  ['all', ['carried', 'held'], 'met'],
  ['all', ['carried', 'open'], 'open'],
  ['all', ['carried', 'gone'], 'unmet'],
  ['quorum:2', ['carried', 'gone', 'carried'], 'met'],
  ['quorum:2', ['carried', 'gone', 'open'], 'open'],
  ['quorum:2', ['carried', 'gone', 'gone'], 'unmet'],
  ['quorum:3', ['carried', 'carried'], 'unmet'],
  ['mandatory:sip:r1', ['gone', 'carried'], 'met'],
  ['mandatory:sip:r1', ['carried', 'open'], 'open'],
  ['mandatory:sip:r1', ['carried', 'gone'], 'unmet'],
  ['mandatory:sip:r1', ['gone', 'held'], 'met'],
  ['mandatory:archive,sip:r1', ['carried', 'carried'], 'met'],
  ['mandatory:archive,sip:r1', ['carried', 'gone'], 'unmet'],
  ['mandatory:sip:stranger', ['carried', 'carried'], 'unmet'],
] as const) {
  test(`SRC-61: ${text} with ${standings.join(', ')}: ${verdict}`, () => {
    assert.equal(verdictOf(text, ...standings), verdict)
  })
}

test('SRC-61: a policy names what is done when it is not met, else nothing is', () => {
  const unmetOf = (text: string) => {
    const policy = parsePolicy(text)
    return policy.ok ? policy.value.unmet : undefined
  }
  assert.equal(unmetOf('all'), 'continue')
  for (const action of ['continue', 'announce', 'retry', 'refuse', 'end']) {
    assert.equal(unmetOf(` all  else ${action} `), action)
  }
})

for (const text of [
  '',
  'some',
  'quorum',
  'quorum:0',
  'quorum:x',
  'mandatory:',
  'all or end',
  'all else stop',
  'all else end now',
]) {
  test(`"${text}" is no policy`, () => {
    assert.equal(parsePolicy(text).ok, false)
  })
}
