import assert from 'node:assert/strict'
import { test } from 'node:test'

import { tone } from '#audio'
import { type PromptFiles, PromptLibrary } from './prompt-library.ts'

/** 16-bit mono WAV at 8 kHz. */
function wav(samples: Int16Array): Uint8Array {
  const bytes = Buffer.alloc(44 + samples.length * 2)
  bytes.write('RIFF', 0)
  bytes.writeUInt32LE(bytes.length - 8, 4)
  bytes.write('WAVEfmt ', 8)
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(1, 20)
  bytes.writeUInt16LE(1, 22)
  bytes.writeUInt32LE(8_000, 24)
  bytes.writeUInt32LE(16_000, 28)
  bytes.writeUInt16LE(2, 32)
  bytes.writeUInt16LE(16, 34)
  bytes.write('data', 36)
  bytes.writeUInt32LE(samples.length * 2, 40)
  samples.forEach((sample, i) => void bytes.writeInt16LE(sample, 44 + i * 2))
  return bytes
}

class MemoryFiles implements PromptFiles {
  readonly reads: string[] = []
  readonly contents = new Map<string, Uint8Array>()
  readonly links = new Map<string, string>()

  async realPath(path: string): Promise<string> {
    return this.links.get(path) ?? path
  }

  async read(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
    this.reads.push(path)
    const content = this.contents.get(path)
    if (content === undefined) throw new Error('no such file')
    return content.length > maxBytes ? undefined : content
  }
}

function library(): { files: MemoryFiles; prompts: PromptLibrary } {
  const files = new MemoryFiles()
  files.contents.set('/srv/gw/prompts/notice.wav', wav(tone(440, 100, 8_000, 8_000)))
  files.contents.set('/srv/secret.wav', wav(tone(440, 100, 8_000, 8_000)))
  return { files, prompts: new PromptLibrary({ base: '/srv/gw', allowed: 'prompts', files }) }
}

test('a prompt is decoded to both G.711 encodings, and read once', async () => {
  const { files, prompts } = library()
  const [first, second] = await Promise.all([prompts.load('prompts/notice.wav'), prompts.load('prompts/notice.wav')])
  assert.ok(first.ok && second.ok)
  assert.equal(first.value.pcmu.length, 800)
  assert.equal(first.value.pcma.length, 800)
  assert.equal(second.value, first.value)
  assert.deepEqual(files.reads, ['/srv/gw/prompts/notice.wav'])
})

test('paths out of the folder are refused without touching a file', async () => {
  const { files, prompts } = library()
  const paths = [
    '../secret.wav',
    'prompts/../../secret.wav',
    '/srv/secret.wav',
    'prompts',
    '',
    '..',
    'prompts/a\0.wav',
    'promptsx/a.wav',
  ]
  for (const path of paths) {
    const result = await prompts.load(path)
    assert.equal(!result.ok && result.error.code, 'forbidden', path)
  }
  assert.deepEqual(files.reads, [])
})

test('a symbolic link out of the folder is refused', async () => {
  const { files, prompts } = library()
  files.links.set('/srv/gw/prompts/link.wav', '/srv/secret.wav')
  const result = await prompts.load('prompts/link.wav')
  assert.equal(!result.ok && result.error.code, 'forbidden')
  assert.deepEqual(files.reads, [])
})

test('a missing file is an error, and is found when it is there the next time', async () => {
  const { files, prompts } = library()
  const missing = await prompts.load('prompts/late.wav')
  assert.equal(!missing.ok && missing.error.code, 'unreadable')
  files.contents.set('/srv/gw/prompts/late.wav', wav(tone(440, 20, 8_000, 8_000)))
  assert.equal((await prompts.load('prompts/late.wav')).ok, true)
})

test('a file that is no WAV, or too large, is an error', async () => {
  const { files, prompts } = library()
  files.contents.set('/srv/gw/prompts/text.wav', Buffer.from('hello'))
  files.contents.set('/srv/gw/prompts/huge.wav', Buffer.alloc(10_000_001))
  const text = await prompts.load('prompts/text.wav')
  const huge = await prompts.load('prompts/huge.wav')
  assert.equal(!text.ok && text.error.code, 'not-wav')
  assert.equal(!huge.ok && huge.error.code, 'too-large')
})

test('at most 64 prompts are kept', async () => {
  const { files, prompts } = library()
  await prompts.load('prompts/notice.wav')
  for (let i = 0; i < 64; i++) {
    files.contents.set(`/srv/gw/prompts/${i}.wav`, wav(tone(440, 20, 8_000, 8_000)))
    await prompts.load(`prompts/${i}.wav`)
  }
  files.reads.length = 0
  await prompts.load('prompts/63.wav')
  assert.deepEqual(files.reads, [])
  await prompts.load('prompts/notice.wav')
  assert.deepEqual(files.reads, ['/srv/gw/prompts/notice.wav'])
})
