// The schema as data against the schema itself, run by libxml2.

import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { fixtureText } from '../../test/harness/fixtures.ts'
import { randomMetadata } from '../../test/harness/random-metadata.ts'
import { schemaProblems } from '../../test/harness/recording-schema.ts'
import { inspectMetadata } from './metadata-inspection.ts'
import { schemaFaults } from './metadata-schema.ts'
import { writeMetadata } from './metadata-writer.ts'
import { readXml } from './xml-reader.ts'

const complete = fixtureText('metadata/call-complete.xml')

/** Codes of the faults of a text. */
function codes(text: string): string[] {
  const { root } = readXml(new TextEncoder().encode(text))
  assert.ok(root)
  return schemaFaults(root).map((fault) => fault.code)
}

test('META-04: random documents of our own writer are valid here and by libxml2', () => {
  fc.assert(
    fc.property(randomMetadata, (metadata) => {
      const text = new TextDecoder().decode(writeMetadata(metadata))
      assert.deepEqual(schemaProblems(text), [])
      assert.deepEqual(
        codes(text).filter((code) => code !== 'address-scheme'),
        [],
      )
    }),
    { numRuns: 60, seed: 7 },
  )
})

/** Edits that break the schema, and the fault that each is. */
const breaks: ReadonlyArray<readonly [name: string, edit: (text: string) => string, code: string]> = [
  ['an unknown element', (text) => text.replace('<datamode>', '<mode>x</mode><datamode>'), 'unknown-element'],
  [
    'a wrong order',
    (text) => text.replace('</recording>', '<datamode>complete</datamode></recording>'),
    'element-order',
  ],
  ['a foreign attribute', (text) => text.replace('<datamode', '<datamode state="x"'), 'unknown-attribute'],
  ['no id', (text) => text.replace(/ session_id="[^"]*"/, ''), 'missing-attribute'],
  ['no name', (text) => text.replace(/<nameID[^>]*\/>|<nameID[\s\S]*?<\/nameID>/g, ''), 'missing-element'],
  ['an unknown mode', (text) => text.replace('>complete<', '>Complete<'), 'value-form'],
  ['text between elements', (text) => text.replace('<datamode>', 'hello<datamode>'), 'stray-text'],
  ['two modes', (text) => text.replace('<datamode>', '<datamode>partial</datamode><datamode>'), 'repeated-element'],
  ['a wrong time', (text) => text.replace(/<start-time>[^<]*/, '<start-time>yesterday'), 'time-form'],
  ['an id that is no base64', (text) => text.replace(/ participant_id="[^"]*"/, ' participant_id="a b!"'), 'id-form'],
]

for (const [name, edit, code] of breaks) {
  test(`META-04: ${name} is found here and refused by libxml2`, () => {
    const broken = edit(complete)
    assert.notEqual(broken, complete)
    assert.ok(codes(broken).includes(code), codes(broken).join(', '))
    assert.notDeepEqual(schemaProblems(broken), [])
  })
}

test('META-11: a time without zone is a fault of its own, which the schema alone lets pass', () => {
  const text = complete.replace(/<start-time>[^<]*/, '<start-time>2026-03-02T10:00:00')
  assert.deepEqual(codes(text), ['time-zone'])
  assert.deepEqual(schemaProblems(text), [])
})

test('documents of the RFC and our own have no fault but what the examples leave out', () => {
  for (const folder of ['metadata', 'rfc7865']) {
    const names = readdirSync(`test/fixtures/${folder}`).filter((name) => name.endsWith('.xml') && name !== 'xml.xsd')
    for (const name of names) assert.deepEqual(codes(fixtureText(`${folder}/${name}`)), [], name)
  }
})

test('a fault is given the line and column of its element', () => {
  const lines = complete.split('\n')
  const line = lines.findIndex((each) => each.includes('<stream ')) + 1
  const text = complete.replace('<stream ', '<stream state="x" ')
  const fault = inspectMetadata(new TextEncoder().encode(text)).faults[0]
  assert.deepEqual(
    [fault?.code, fault?.place],
    ['unknown-attribute', { line, column: lines[line - 1]!.indexOf('<') + 1 }],
  )
})

test('blank lines before the document and a tag broken over lines do not move the place', () => {
  const text = `\n\n${complete.replace('<stream ', '<stream\n state="x" ')}`
  const line = text.split('\n').findIndex((each) => each.trim() === '<stream') + 1
  assert.deepEqual(inspectMetadata(new TextEncoder().encode(text)).faults[0]?.place, { line })
})

test('broken XML is a fault with its place, and never a throw', () => {
  const cut = complete.slice(0, complete.indexOf('</session>'))
  const { faults } = inspectMetadata(new TextEncoder().encode(cut))
  assert.equal(faults[0]?.code, 'not-well-formed')
  assert.ok((faults[0]?.place?.line ?? 0) > 1)
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void inspectMetadata(bytes)))
})
