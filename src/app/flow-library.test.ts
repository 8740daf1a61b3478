import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { type Logger, ManualClock, MemoryLogger, silentLogger } from '#kernel'
import { FlowLibrary } from './flow-library.ts'

async function withFolder(files: Record<string, string>, use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'flows-'))
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
    await use(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

const clock = new ManualClock()

function loadFlows(files: readonly string[], log: Logger): Promise<FlowLibrary> {
  return FlowLibrary.open({ files, clock, log })
}

const flow = (name: string): string => `name: ${name}\nnodes: [{type: answer}]\n`

test('the shipped flows load, each under its file', async () => {
  const files = ['flows/demo.yaml', 'flows/echo.yaml', 'flows/record-and-dial.yaml']
  const library = await loadFlows([...files, 'flows/echo.yaml'], silentLogger)
  assert.deepEqual(
    library.list().map(({ file }) => file),
    files,
  )
})

test('mistakes of all files come back at once, a missing file among them', () =>
  withFolder({ 'a.yaml': flow('x'), 'c.yaml': 'name: y\nnodes: []\n' }, async (folder) => {
    const files = ['a.yaml', 'b.yaml', 'c.yaml'].map((name) => join(folder, name))
    await assert.rejects(loadFlows(files, silentLogger), (fault: Error) => {
      assert.match(fault.message, /b\.yaml:1:1: cannot be read/)
      assert.match(fault.message, /c\.yaml:2:\d+: nodes: expected/)
      return true
    })
  }))

test('an expression that can never work is logged when the flow is loaded', () =>
  withFolder({ 'a.yaml': `name: a\nnodes:\n  - {type: log, message: '{{ f() }}'}\n` }, async (folder) => {
    const log = new MemoryLogger()
    await loadFlows([join(folder, 'a.yaml')], log)
    assert.match(JSON.stringify(log.lines[0]?.fields), /a\.yaml:3:26: nodes\[0\]\.message: expression renders empty/)
  }))

test('a changed file that is valid is for new calls; an invalid one leaves the old flow, and both are told', () =>
  withFolder({ 'a.yaml': flow('one') }, async (folder) => {
    const file = join(folder, 'a.yaml')
    const log = new MemoryLogger()
    const library = await loadFlows([file], log)
    const told: unknown[] = []
    library.changes.add(({ type, mistakes }) => told.push([type, mistakes.length]))
    const running = library.get(file)
    await library.reload()
    assert.deepEqual(told, [], 'nothing has changed')

    await writeFile(file, flow('second'))
    await library.reload()
    assert.equal(library.get(file)?.name, 'second')
    assert.equal(running?.name, 'one', 'calls keep the flow that they have')

    await writeFile(file, 'name: third\nnodes: [{type: nothing}]\n')
    await library.reload()
    assert.equal(library.get(file)?.name, 'second')
    assert.deepEqual(
      library.list()[0]?.mistakes.map(({ line, path }) => [line, path]),
      [[2, 'nodes[0].type']],
    )
    assert.match(JSON.stringify(log.lines.at(-1)), /old one stays.*a\.yaml:2:/)

    await rm(file)
    await library.reload()
    assert.equal(library.get(file)?.name, 'second', 'a file that is gone takes no flow along')

    await writeFile(file, flow('fourth and last'))
    await library.reload()
    assert.deepEqual(library.list()[0]?.mistakes, [])
    assert.deepEqual(told, [
      ['flow.reloaded', 0],
      ['flow.rejected', 1],
      ['flow.rejected', 1],
      ['flow.reloaded', 0],
    ])
    library.close()
  }))

test('files are looked at by themselves every two seconds, until the library is closed', () =>
  withFolder({ 'a.yaml': flow('one') }, async (folder) => {
    const own = new ManualClock()
    const file = join(folder, 'a.yaml')
    const library = await FlowLibrary.open({ files: [file], clock: own, log: silentLogger })
    await writeFile(file, flow('second'))
    const changed = new Promise((resolve) => library.changes.add(resolve))
    own.advance(2_000)
    await changed
    assert.equal(library.get(file)?.name, 'second')
    library.close()
    await library.reload()
    assert.deepEqual(own.pendingNames(), [])
  }))
