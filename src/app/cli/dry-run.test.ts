// `dry-run FLOW` as its users run it: what it prints, and its exit code.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'

const root = join(import.meta.dirname, '..', '..', '..', '..')
const main = join(import.meta.dirname, '..', 'main.js')

function dryRun(...given: readonly string[]) {
  const ran = spawnSync(process.execPath, [main, 'dry-run', ...given], { cwd: root, encoding: 'utf8', timeout: 60_000 })
  return { code: ran.status, out: ran.stdout, complaint: ran.stderr }
}

function fileOf(t: TestContext, name: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'dry-run-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

const asking = `name: asking
nodes:
  - { type: answer }
  - { type: collect, maxDigits: 4, timeoutMs: 1000, interDigitTimeoutMs: 1000, into: context.pin }
  - type: if
    condition: context.pin.digits === "1234"
    then: [{ type: log, message: 'pin {{ context.pin.digits }}' }]
  - { type: hangup }
`

test('the demo flow is told node by node, with what each asks and gets, and the exit code is 0', (t) => {
  const input = '{"recorders":"sip:srs@127.0.0.1","callId":"call-7","callee":"sip:bob@127.0.0.1"}'
  const { code, out } = dryRun('flows/demo.yaml', '--input', fileOf(t, 'input.json', input))
  const lines = out.split('\n')
  assert.deepEqual(lines.slice(0, 8), [
    'nodes[0] answer',
    '    answer -> true',
    'nodes[1] play',
    '    play "prompts/notice.wav" -> "finished"',
    'nodes[2] callRecording',
    '    record {"activity":"start","server":"sip:srs@127.0.0.1","recordingId":"call-7"} -> {"status":200,"text":"","results":{}}',
    'nodes[3] dial',
    '    dial {"target":"sip:bob@127.0.0.1","timeoutMs":30000,"until":"answer"} -> {"result":"answered"}',
  ])
  assert.deepEqual(lines.slice(-5), [
    'nodes[11] hangup',
    '    hangup',
    'end: completed',
    'context: {"recording":{"last":{"status":200,"text":"","results":{}}},"dial":{"result":"answered"}}',
    '',
  ])
  assert.equal(code, 0)
})

test('what the flow hears is chosen by --answers, what it logs is told, and --json says the same', (t) => {
  const file = fileOf(t, 'asking.yaml', asking)
  const heard = dryRun(file, '--answers', 'collect=1234#')
  assert.match(heard.out, /^nodes\[2\]\.then\[0\] log\n {4}says: pin 1234$/m)
  assert.doesNotMatch(dryRun(file, '--answers', 'collect=99#').out, /says:/)
  const run = JSON.parse(dryRun(file, '--answers', 'collect=1234#', '--json').out)
  assert.deepEqual([run.end, run.context.pin.digits], ['completed', '1234'])
})

test('a flow that is invalid, answers that cannot be read, and a file that is not there are exit code 1, and say so', (t) => {
  const invalid = dryRun(fileOf(t, 'bad.yaml', 'name: bad\nnodes:\n  - { type: playy }\n'))
  assert.deepEqual([invalid.code, invalid.out], [1, ''])
  assert.match(invalid.complaint, /bad\.yaml:3:13: nodes\[0\]\.type: expected a node/)
  const file = fileOf(t, 'asking.yaml', asking)
  for (const [given, said] of [
    [[file, '--answers', 'nonsense=1'], /--answers: nonsense=1/],
    [['nowhere.yaml'], /nowhere\.yaml cannot be read/],
  ] as const) {
    const { code, complaint } = dryRun(...given)
    assert.equal(code, 1)
    assert.match(complaint, said)
  }
})
