// The layer table of ARCHITECTURE.md against the table that the architecture test executes.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type LayerRule, layers } from './architecture.ts'

const page = readFileSync(join(import.meta.dirname, '..', '..', 'ARCHITECTURE.md'), 'utf8')

interface PageRow {
  readonly layer: string
  readonly rank: number
  readonly outside: 'everything' | readonly string[]
}

function pageRows(): PageRow[] {
  const lines = page.matchAll(/^\| (\d) \| `([a-z-]+)` \| [^|]+ \| ([^|]+) \|$/gm)
  return [...lines].map(([, rank, layer = '', outside = '']) => ({
    layer,
    rank: Number(rank),
    outside:
      outside === 'everything' ? outside : [...outside.matchAll(/`([^`]+)`/g)].map(([, module = '']) => module).sort(),
  }))
}

function executedRow([layer, { rank, outside }]: [string, LayerRule]): PageRow {
  const modules = outside === 'everything' ? outside : [...new Set(outside.map(([module]) => module))].sort()
  return { layer, rank, outside: modules }
}

test('ARCHITECTURE.md shows the layers, ranks and outside modules that the architecture test executes', () => {
  const byName = (rows: readonly PageRow[]) => [...rows].sort((a, b) => a.layer.localeCompare(b.layer))
  assert.deepEqual(byName(pageRows()), byName(Object.entries(layers).map(executedRow)))
})
