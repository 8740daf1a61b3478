import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { MemoryLogger, silentLogger } from '#kernel'
import { loadFlows } from './flow-library.ts'

async function withFolder(files: Record<string, string>, use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'flows-'))
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
    await use(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

const flow = (name: string): string => `name: ${name}\nnodes: [{type: answer}]\n`

test('the shipped flows load, each under its file', async () => {
  const files = ['flows/demo.yaml', 'flows/echo.yaml', 'flows/record-and-dial.yaml']
  assert.deepEqual([...(await loadFlows([...files, 'flows/echo.yaml'], silentLogger)).keys()], files)
})

test('mistakes of all files come back at once, a missing file among them', () =>
  withFolder({ 'a.yaml': flow('x'), 'c.yaml': 'name: y\nnodes: []\n' }, async (folder) => {
    const files = ['a.yaml', 'b.yaml', 'c.yaml'].map((name) => join(folder, name))
    await assert.rejects(loadFlows(files, silentLogger), (fault: Error) => {
      assert.match(fault.message, /b\.yaml: cannot be read/)
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
