// The layer table of ARCHITECTURE.md, executed: imports, outside modules, forbidden globals, file sizes.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { forbiddenGlobals, importsOf, type LayerRule, layers, sizeLimitLines, tableFiles } from './architecture.ts'

const root = join(import.meta.dirname, '..', '..')

function sources(folder: string): { readonly path: string; readonly text: string }[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const path = `${folder}/${name.replaceAll('\\', '/')}`
      return { path, text: readFileSync(join(root, path), 'utf8') }
    })
}

const source = sources('src')
const shipped = source.filter((file) => !file.path.endsWith('.test.ts'))
const layerOf = (path: string): string => path.split('/')[1] ?? ''

describe('architecture', () => {
  it('finds the sources it is to judge', () => {
    assert.ok(shipped.length > 50, `only ${shipped.length} source files`)
    const seen = new Set(shipped.map((file) => layerOf(file.path)))
    assert.deepEqual([...seen].filter((layer) => !(layer in layers)).sort(), [], 'folders under src that are no layer')
    assert.deepEqual(
      Object.keys(layers)
        .filter((layer) => !seen.has(layer))
        .sort(),
      [],
      'layers without a source',
    )
  })

  it('lets imports go down the table only, through doors only', () => {
    const faults: string[] = []
    for (const file of shipped) {
      const layer = layerOf(file.path)
      for (const target of importsOf(file.text)) {
        if (target.startsWith('#')) {
          const other = layers[target.slice(1)]
          const own = layers[layer]
          if (other === undefined || own === undefined || other.rank >= own.rank)
            faults.push(`${file.path} imports ${target}`)
        } else if (target.startsWith('.')) {
          const depth = file.path.split('/').length - 3
          const ups = target.split('/').filter((part) => part === '..').length
          if (ups > depth) faults.push(`${file.path} leaves its layer by ${target}`)
        }
      }
    }
    assert.deepEqual(faults, [])
  })

  it('keeps outside modules to the layers that may touch them', () => {
    const faults: string[] = []
    for (const file of shipped) {
      const rule: LayerRule | undefined = layers[layerOf(file.path)]
      for (const target of importsOf(file.text)) {
        if (target.startsWith('#') || target.startsWith('.') || rule === undefined || rule.outside === 'everything')
          continue
        const allowed = rule.outside.some(
          ([module, only]) => module === target && (only === undefined || file.path.startsWith(`src/${only}`)),
        )
        if (!allowed) faults.push(`${file.path} imports ${target}`)
      }
    }
    assert.deepEqual(faults, [])
  })

  it('keeps time, randomness, the console and the process out of the layers that must not know them', () => {
    const faults: string[] = []
    for (const file of shipped) {
      const rule = layers[layerOf(file.path)]
      if (rule === undefined || rule.globals === 'all') continue
      if (rule.globals.some((path) => file.path.startsWith(`src/${path}`))) continue
      const code = file.text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'/g, '')
      for (const name of forbiddenGlobals)
        if (new RegExp(`(?<![.#\\w])${name}(?!\\w|\\s*[?:]?:)`).test(code)) faults.push(`${file.path} uses ${name}`)
    }
    assert.deepEqual(faults, [])
  })

  it(`keeps every file at ${sizeLimitLines} lines or fewer`, () => {
    const faults = [...source, ...sources('test')]
      .filter((file) => !tableFiles.includes(file.path))
      .map((file) => ({ path: file.path, lines: file.text.split('\n').length - 1 }))
      .filter((file) => file.lines > sizeLimitLines)
      .map((file) => `${file.path} has ${file.lines} lines`)
    assert.deepEqual(faults, [])
  })
})
