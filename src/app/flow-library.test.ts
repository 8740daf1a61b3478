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

test('the shipped flows load, each under its name', async () => {
  const flows = await loadFlows('flows', silentLogger)
  assert.ok(flows.ok)
  assert.deepEqual([...flows.value.keys()], ['demo', 'echo', 'record-and-dial'])
})

test('mistakes of all files come back at once, two flows of one name among them', () =>
  withFolder(
    { 'a.yaml': flow('x'), 'b.yaml': flow('x'), 'c.yaml': 'name: y\nnodes: []\n', 'd.txt': '{' },
    async (folder) => {
      const flows = await loadFlows(folder, silentLogger)
      assert.deepEqual(flows.ok ? [] : flows.error.map(({ file, path }) => [file, path]), [
        [join(folder, 'b.yaml'), 'name'],
        [join(folder, 'c.yaml'), 'nodes'],
      ])
    },
  ))

test('an expression that can never work is logged when the flow is loaded', () =>
  withFolder({ 'a.yaml': `name: a\nnodes:\n  - {type: log, message: '{{ f() }}'}\n` }, async (folder) => {
    const log = new MemoryLogger()
    assert.equal((await loadFlows(folder, log)).ok, true)
    assert.match(JSON.stringify(log.lines[0]?.fields), /a\.yaml:3:26: nodes\[0\]\.message: expression renders empty/)
  }))
