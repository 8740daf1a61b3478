// What the catalogue wants to know of a recording's folder beyond its manifest: the words of its metadata, and its size.

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { METADATA_FOLDER } from '../recording-folder.ts'
import { plainFiles, type RecordingFiles } from '../sealing/recording-files.ts'

const MOST_DOCUMENTS = 200
const MOST_TEXT = 65_536
const LITERAL = '<![CDATA['
const COMMENT = '<!--'
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** The texts and attribute values of all metadata documents, each once, a line each; empty where none are kept. */
export async function metadataWords(folder: string, files: RecordingFiles = plainFiles): Promise<string> {
  const path = join(folder, METADATA_FOLDER)
  const names = (await readdir(path).catch(() => [])).filter((name) => name.endsWith('.xml')).sort()
  const words = new Set<string>()
  let size = 0
  for (const name of names.slice(-MOST_DOCUMENTS).reverse()) {
    for (const word of documentTexts(textOf(files, join(path, name)))) {
      if (words.has(word) || size + word.length > MOST_TEXT) continue
      words.add(word)
      size += word.length + 1
    }
  }
  return [...words].join('\n')
}

function textOf(files: RecordingFiles, path: string): string {
  try {
    return files.read(path).toString()
  } catch {
    return ''
  }
}

/** Texts and attribute values of an XML document, well formed or not. */
export function documentTexts(xml: string): string[] {
  const texts: string[] = []
  const end = endFinder(xml)
  for (let at = 0; at < xml.length; ) {
    const tagAt = xml.indexOf('<', at)
    texts.push(decoded(xml.slice(at, tagAt < 0 ? undefined : tagAt)).trim())
    if (tagAt < 0) break
    const literalEnd = xml.startsWith(LITERAL, tagAt) ? end(']]>', tagAt + LITERAL.length) : undefined
    const commentEnd = xml.startsWith(COMMENT, tagAt) ? end('-->', tagAt + COMMENT.length) : undefined
    const tagEnd = end('>', tagAt)
    if (literalEnd !== undefined) texts.push(xml.slice(tagAt + LITERAL.length, literalEnd - 3).trim())
    else if (commentEnd === undefined && tagEnd !== undefined && !/[?!/]/.test(xml[tagAt + 1]!)) {
      texts.push(...attributeValues(xml.slice(tagAt + 1, tagEnd - 1)))
    }
    at = literalEnd ?? commentEnd ?? tagEnd ?? xml.length
  }
  return texts.filter((text) => text !== '')
}

/** Finds the place behind the next mark from a place on; where there was none once it does not look again: a hostile document has many beginnings. */
function endFinder(xml: string): (mark: string, from: number) => number | undefined {
  const absent = new Set<string>()
  return (mark, from) => {
    const at = absent.has(mark) ? -1 : xml.indexOf(mark, from)
    if (at < 0) absent.add(mark)
    return at < 0 ? undefined : at + mark.length
  }
}

/** Bytes of all files of a folder, and of its folders. */
export async function folderBytes(folder: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) bytes += await folderBytes(path)
    else if (entry.isFile()) bytes += (await stat(path).catch(() => undefined))?.size ?? 0
  }
  return bytes
}

function attributeValues(tag: string): string[] {
  return [...tag.matchAll(/\s([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)]
    .filter(([, name]) => !/^xmlns(:|$)/.test(name!))
    .map(([, , double, single]) => decoded(double ?? single ?? '').trim())
}

function decoded(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{2,4}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
    return code > 0 && code <= 0x10_ffff ? String.fromCodePoint(code) : whole
  })
}
