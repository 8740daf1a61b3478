// Our G.722 decoder gives the same samples as ffmpeg's, bit for bit.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { G722Decoder } from '#audio'
import { fixture } from '../harness/fixtures.ts'
import { requireTools, runTool } from '../harness/tools.ts'

requireTools('ffmpeg')

const speech = fixture('speech/caller.g722')
/** Codes in no order, so that every step size is met. */
const noise = Uint8Array.from({ length: 16_000 }, (_unused, index) => (index * index * 31 + (index >> 4)) & 0xff)

for (const [name, encoded] of [
  ['speech', speech],
  ['noise', noise],
] as const) {
  test(`ffmpeg decodes ${name} to the same samples`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'g722-'))
    t.after(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'in.g722'), encoded)
    await runTool('ffmpeg', ['-v', 'error', '-f', 'g722', '-i', 'in.g722', '-f', 's16le', 'out.raw'], folder)
    const samples = new G722Decoder().decode(encoded)
    assert.ok(readFileSync(join(folder, 'out.raw')).equals(Buffer.from(samples.buffer)))
  })
}
