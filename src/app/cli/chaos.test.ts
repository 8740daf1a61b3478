// Arguments of the `chaos` command: presets, script files, addresses.

import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { endpointOf, portRangeOf } from './addresses.ts'
import { loadChaosScript, presetList } from './chaos.ts'

test('a script is a preset by name or a YAML file, and a wrong one is named', async () => {
  assert.equal((await loadChaosScript('busy')).about, 'refuses with 486')
  const folder = await mkdtemp(join(tmpdir(), 'chaos-'))
  const file = join(folder, 'script.yaml')
  await writeFile(file, 'about: slow\nrules:\n  - on: invite\n    do: [{ delay: 50 }, { answer: {} }]\n')
  assert.deepEqual((await loadChaosScript(file)).rules[0]?.do, [{ delay: 50 }, { answer: {} }])
  await writeFile(file, 'rules:\n  - on: invite\n    do: [{ dance: true }]\n')
  await assert.rejects(loadChaosScript(file), /rule 1, action 1: unknown action dance/)
  await assert.rejects(loadChaosScript('constructor'), /is no preset/)
  await rm(folder, { recursive: true })
})

test('the list names every preset with what it does', () => {
  assert.match(presetList(), /^polite +does everything right$/m)
  assert.match(presetList(), /^reinvite-491 +refuses every re-INVITE with 491$/m)
})

test('addresses and port ranges are checked', () => {
  assert.deepEqual(endpointOf('127.0.0.1:5090'), { host: '127.0.0.1', port: 5090 })
  assert.deepEqual(endpointOf('[::1]:5090'), { host: '::1', port: 5090 })
  assert.throws(() => endpointOf('localhost:5090'), /not address:port/)
  assert.throws(() => endpointOf('127.0.0.1'), /not address:port/)
  assert.deepEqual(portRangeOf('43000-43999'), { portMin: 43_000, portMax: 43_999 })
  assert.throws(() => portRangeOf('5-6'), /four ports/)
})
