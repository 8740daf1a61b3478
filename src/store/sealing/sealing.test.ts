import assert from 'node:assert/strict'
import fs, {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { WAV_HEADER_BYTES } from '#audio'
import { littleKnown } from '../../../test/harness/attested-store.ts'
import { instantPort, sealedDisk, TestDiskPort } from '../../../test/harness/test-disk.ts'
import { createDeriver } from '../derived/deriver.ts'
import { readPeaks } from '../derived/peaks.ts'
import type { DiskPort } from '../disk.ts'
import { GrowingFile } from '../growing-file.ts'
import { NO_TOTALS } from '../manifest.ts'
import { RecordingFolder } from '../recording-folder.ts'
import { RecordingStore } from '../recording-store.ts'
import { leftFolders, recoverOpenFolders } from '../recovery.ts'
import { addKey, checkKeyRing, readKeyRing } from './key-ring.ts'
import { rotateKeys } from './rotate-keys.ts'
import { CHUNK_BYTES } from './sealed-format.ts'
import { rewrapDataKey, Vault } from './vault.ts'

const STARTED_MS = Date.UTC(2026, 2, 1, 12)
const SECRET = 'sip:ada@secret.example'

interface Scene {
  readonly root: string
  readonly keyFile: string
  readonly vault: Vault
}

function open(t: TestContext): Scene {
  const folder = mkdtempSync(join(tmpdir(), 'sealing-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [root, keyFile] = [join(folder, 'recordings'), join(folder, 'keys/store.keys')]
  mkdirSync(root)
  return { root, keyFile, vault: Vault.checked({ root, keyFile }) }
}

function begin({ root, vault }: Scene, recordingId: string): RecordingFolder {
  const facts = { ...littleKnown, participants: [{ participantId: 'p', aor: SECRET }] }
  const folder = new RecordingFolder(sealedDisk(vault), root, recordingId, STARTED_MS, facts)
  const run = folder.addStream('1').startWavRun({ encoding: 'PCMU/8000', clockRateHz: 8000 }, 'pcmu', 0)
  for (let i = 0; i < 30; i++) {
    run.append(new Uint8Array(800).fill(i + 1))
    folder.flush()
  }
  const record = { payloadType: 96, marker: false, sequence: 1, timestamp: 0, ssrc: 1, arrivalMs: 0, position: 0 }
  folder
    .addStream('2')
    .startRawRun({ encoding: 'X-UNKNOWN/8000', clockRateHz: 8000 }, 0)
    .append({ ...record, payload: Buffer.from(SECRET) })
  for (const number of [1, 2]) {
    const document = { receivedAt: 'x', transaction: `UPDATE ${number}`, warnings: [], state: { SECRET } }
    folder.addMetadata({ ...document, raw: Buffer.from(`<recording n="${number}">${SECRET}</recording>`) })
  }
  folder.keepSession({ keys: SECRET })
  return folder
}

async function publish(scene: Scene, recordingId: string): Promise<string> {
  const closing = { endedAtMs: STARTED_MS + 3000, durationMs: 3000, totals: [NO_TOTALS, NO_TOTALS] }
  const derive = await createDeriver({ archive: 'flac', files: scene.vault })
  const { folder } = await begin(scene, recordingId).publish({ ...closing, noAudioCause: 'no-rtp' }, derive)
  return folder
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  )
}

function place(vault: Vault, root: string, name = 'file.bin'): string {
  const folder = join(root, '2026/03/01/one')
  mkdirSync(folder, { recursive: true })
  if (!existsSync(join(folder, 'data-key.json'))) vault.begin(folder)
  return join(folder, name)
}

test('SEC-21 no file of a recording holds a word, a name or a sample in clear, received or published, and all of it is read again', async (t) => {
  const scene = open(t)
  const left = begin(scene, 'left')
  left.sync()
  const folder = await publish(scene, 'one')
  for (const path of [folder, join(scene.root, '2026/03/01/left.open')]) {
    for (const name of filesOf(path).filter((one) => one !== 'data-key.json' && one !== 'paused')) {
      const bytes = readFileSync(join(path, name))
      assert.equal(bytes.subarray(0, 8).toString('latin1'), 'SRGWSEA1', name)
      assert.ok(!bytes.includes(SECRET) && !bytes.includes('RIFF') && !bytes.includes('PCMU'), name)
      assert.ok(!bytes.includes(Buffer.alloc(16, 7)), `${name} holds audio in clear`)
    }
  }
  const store = new RecordingStore({ root: scene.root, files: scene.vault })
  const manifest = await store.manifest('2026/03/01/one')
  assert.equal(manifest?.facts.participants[0]?.aor, SECRET)
  assert.equal(manifest.durationMs, 3000)
  assert.match(
    Buffer.from((await store.file('2026/03/01/one', 'metadata/0002.xml')) ?? []).toString(),
    /n="2">sip:ada@/,
  )
  const wav = scene.vault.read(join(folder, 'recording.wav'))
  assert.equal(wav.subarray(0, 4).toString(), 'RIFF')
  assert.equal(readPeaks(join(folder, 'peaks.dat'), { buckets: 10 }, scene.vault)?.channels, 2)
  assert.equal(scene.vault.read(join(folder, 'recording.flac')).subarray(0, 4).toString(), 'fLaC')
  assert.equal(scene.vault.read(join(folder, 'metadata/history.jsonl')).toString().trim().split('\n').length, 2)
})

test('any part of a sealed file is what was written there, whatever the sizes of writes and frames', (t) => {
  const { root, vault } = open(t)
  let count = 0
  const sizes = fc.array(fc.nat(3 * CHUNK_BYTES), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(
      sizes,
      fc.boolean(),
      fc.array(fc.tuple(fc.nat(), fc.nat(90_000)), { maxLength: 8 }),
      (parts, isGrowing, reads) => {
        const path = place(vault, root, `file-${count++}`)
        const plain = Buffer.alloc(parts.reduce((sum, size) => sum + size, 0))
        for (let i = 0; i < plain.length; i++) plain[i] = (i * 31 + (i >> 8)) & 255
        const grown = isGrowing ? new GrowingFile(sealedDisk(vault), path) : undefined
        const output = isGrowing ? undefined : vault.output(path)
        let at = 0
        for (const size of parts) {
          const part = plain.subarray(at, at + size)
          if (size > 0) grown?.append(part)
          grown?.flush()
          output?.append(part)
          at += size
        }
        void grown?.close()
        output?.close()
        const file = vault.open(path)
        assert.equal(file.size, plain.length)
        for (const [from, length] of reads) {
          const position = from % (plain.length + 1)
          const into = Buffer.alloc(length)
          const had = file.readAt(into, position)
          assert.deepEqual(into.subarray(0, had), plain.subarray(position, position + length))
        }
        file.close()
      },
    ),
    { numRuns: 40 },
  )
})

test('a flipped bit, a frame that is left out, exchanged or cut off, and a file under another name are refused', async (t) => {
  const scene = open(t)
  const folder = await publish(scene, 'one')
  const readAll = (name: string) => () => scene.vault.read(join(folder, name))
  for (const name of filesOf(folder).filter((one) => one !== 'data-key.json')) {
    const original = readFileSync(join(folder, name))
    assert.ok(readAll(name)().length > 0, name)
    fc.assert(
      fc.property(fc.nat(original.length * 8 - 1), (bit) => {
        const bytes = Buffer.from(original)
        bytes[bit >> 3]! ^= 1 << (bit & 7)
        writeFileSync(join(folder, name), bytes)
        assert.throws(readAll(name), /cut off|not what|not a sealed|goes on/, `${name} bit ${bit}`)
      }),
      { numRuns: 25 },
    )
    for (const size of [original.length - 1, original.length - 36, Math.floor(original.length / 2), 40, 32, 0]) {
      writeFileSync(join(folder, name), original)
      truncateSync(join(folder, name), size)
      assert.throws(readAll(name), /cut off|not what|not a sealed/, `${name} cut to ${size}`)
    }
    writeFileSync(join(folder, name), original)
  }
  const run = join(folder, 'stream-1.run-1.pcmu.wav')
  const original = readFileSync(run)
  // Behind the head of the file and the first frame, frames of 800 bytes lie one after another.
  const first = 32 + WAV_HEADER_BYTES + 36
  const frameAt = (number: number) => original.subarray(first + number * 836, first + (number + 1) * 836)
  const swapped = Buffer.concat([
    original.subarray(0, first),
    frameAt(1),
    frameAt(0),
    original.subarray(first + 2 * 836),
  ])
  for (const bytes of [swapped, Buffer.concat([original.subarray(0, first), original.subarray(first + 836)])]) {
    writeFileSync(run, bytes)
    assert.throws(readAll('stream-1.run-1.pcmu.wav'), /cut off or damaged/)
  }
  writeFileSync(run, original)
  const other = await publish(scene, 'two')
  renameSync(join(other, 'recording.wav'), join(folder, 'recording.wav'))
  assert.throws(readAll('recording.wav'), /not what was written/)
  renameSync(join(folder, 'metadata/0001.xml'), join(folder, 'metadata/0002.xml'))
  assert.throws(readAll('metadata/0002.xml'), /not what was written/)
})

test('a sealed recording that was killed at any byte is recovered with every frame that is whole, and goes on from there', async (t) => {
  const scene = open(t)
  await fc.assert(
    fc.asyncProperty(fc.nat(1500), fc.nat(120), async (cut, indexCut) => {
      const id = `killed-${cut}-${indexCut}`
      const path = join(scene.root, '2026/03/01', `${id}.open`)
      if (existsSync(path) || existsSync(path.slice(0, -5))) return
      begin(scene, id)
      const run = join(path, 'stream-1.run-1.pcmu.wav')
      const size = statSync(run).size
      truncateSync(run, size - cut)
      const index = join(path, 'stream-1.index.jsonl')
      truncateSync(index, statSync(index).size - Math.min(indexCut, 30))
      const [left] = leftFolders(scene.root, scene.vault)
      assert.deepEqual(left?.session, { keys: SECRET })
      const { recovered, failures } = await recoverOpenFolders(scene.root, undefined, undefined, undefined, scene.vault)
      assert.deepEqual(failures, [])
      const [stream] = recovered[0]?.manifest.streams ?? []
      const whole = Math.floor((size - cut - 68 - WAV_HEADER_BYTES) / 836)
      if (stream?.runs[0] !== undefined) {
        assert.equal(stream.runs[0].bytes, whole * 800)
        assert.equal(
          scene.vault.read(join(recovered[0]!.folder, 'stream-1.run-1.pcmu.wav')).length,
          WAV_HEADER_BYTES + whole * 800,
        )
      }
    }),
    { numRuns: 25 },
  )
})

test('SEC-12: the state of a session that is sealed for another recording is none', async (t) => {
  const scene = open(t)
  const [one, two] = ['one', 'two'].map((id) => begin(scene, id).path)
  const left = (): (readonly [unknown, boolean])[] =>
    leftFolders(scene.root, scene.vault).map(({ session, isSessionUnreadable }) => [session, isSessionUnreadable])
  const known = [{ keys: SECRET }, false] as const
  assert.deepEqual(left(), [known, known])
  copyFileSync(join(one!, 'session.json'), join(two!, 'session.json'))
  assert.deepEqual(left(), [known, [undefined, true]])
  assert.ok(!readFileSync(join(one!, 'session.json')).includes(SECRET))
})

test('a file that a restarted recorder goes on with holds what was there before, and what came behind', async (t) => {
  const { root, vault } = open(t)
  const path = place(vault, root)
  const file = new GrowingFile(sealedDisk(vault), path, { initial: Buffer.from('one\n') })
  file.append(Buffer.from('two\n'))
  file.flush()
  await file.close()
  const second = new GrowingFile(sealedDisk(vault), path, { continueAt: 8 })
  second.append(Buffer.from('three\n'))
  await second.close()
  assert.equal(vault.read(path).toString(), 'one\ntwo\nthree\n')
})

test('a disk that takes half of a frame, or refuses it, gets the rest of the same frame later', async (t) => {
  const { root, vault } = open(t)
  const path = place(vault, root)
  const port = new TestDiskPort()
  const file = new GrowingFile(sealedDisk(vault, port), path)
  file.append(Buffer.from('first'))
  file.flush()
  port.failsWith = 'ENOSPC'
  file.append(Buffer.from(' second'))
  await assert.rejects(file.close(), /ENOSPC/)
  port.failsWith = undefined
  await file.close()
  assert.equal(vault.read(path).toString(), 'first second')
  const slow = place(vault, root, 'slow')
  const sevenBytes: DiskPort = {
    ...instantPort,
    write: (fd, bytes, position, done) => instantPort.write(fd, bytes.subarray(0, 7), position, done),
  }
  const other = new GrowingFile(sealedDisk(vault, sevenBytes), slow)
  for (const text of ['a'.repeat(1000), 'b'.repeat(900)]) {
    other.append(Buffer.from(text))
    other.flush()
  }
  await other.close()
  assert.equal(vault.read(slow).toString(), 'a'.repeat(1000) + 'b'.repeat(900))
})

test('keys are rotated without touching audio, and what lacks its key is refused by its name', async (t) => {
  const scene = open(t)
  const { root, keyFile } = scene
  const [old, newer] = [await publish(scene, 'old'), await publish(scene, 'older')]
  addKey(keyFile, 'key-2')
  const recent = await publish(scene, 'recent')
  assert.match(readFileSync(join(recent, 'data-key.json'), 'utf8'), /"key":"key-2"/)
  const before = readFileSync(join(old, 'recording.wav'))
  assert.equal(rewrapDataKey(old, keyFile), true)
  assert.equal(rewrapDataKey(old, keyFile), false)
  assert.deepEqual(readFileSync(join(old, 'recording.wav')), before)
  const [, second] = readFileSync(keyFile, 'utf8').split('\n')
  writeFileSync(keyFile, `# only the newest\n${second}\n`)
  const fresh = new Vault({ root, keyFile })
  assert.equal(fresh.read(join(old, 'recording.wav')).subarray(0, 4).toString(), 'RIFF')
  assert.throws(
    () => fresh.read(join(newer, 'recording.wav')),
    /the key key-1 is missing, which .*older is sealed with/,
  )
  assert.throws(() => checkKeyRing(root, keyFile), /the key key-1 is missing, and recordings are sealed with it/)
})

test('a key file that is missing, wrong or not readable is refused with file, line and key', (t) => {
  const { root, keyFile } = open(t)
  const written = readFileSync(keyFile, 'utf8')
  assert.equal(statSync(keyFile).mode & 0o777, 0o600)
  const refused = (text: string, message: RegExp) => {
    writeFileSync(keyFile, text)
    assert.throws(() => checkKeyRing(root, keyFile), message)
  }
  refused(`\nkey-1 ${'ab'.repeat(32)}\n`, /store\.keys:2: key-1 is not the key that recordings are sealed with/)
  refused('key-1 abc\n', /store\.keys:1: expected a name and a key of 64 hexadecimal digits/)
  refused(written + written, /store\.keys:2: the key key-1 is there twice/)
  refused('', /store\.keys: holds no key/)
  rmSync(keyFile)
  assert.throws(() => checkKeyRing(root, keyFile), /store\.keys: not there, and recordings are sealed with key-1/)
  assert.equal(existsSync(keyFile), false)
  writeFileSync(keyFile, written)
  checkKeyRing(root, keyFile)
  assert.equal(readKeyRing(keyFile).length, 1)
})

test('recordings of before encryption are read as they are, and one that cannot be opened hurts no other', async (t) => {
  const scene = open(t)
  const { root, vault } = scene
  const plain = new RecordingFolder(sealedDisk(undefined), root, 'plain', STARTED_MS, littleKnown)
  await plain.publish({ endedAtMs: STARTED_MS, durationMs: 0, totals: [], noAudioCause: 'no-rtp' })
  const [broken] = [await publish(scene, 'broken'), await publish(scene, 'good')]
  writeFileSync(join(broken, 'data-key.json'), '{"version":1,"key":"key-1","sealed":"AAAA"}')
  const store = new RecordingStore({ root, files: new Vault({ root, keyFile: scene.keyFile }) })
  assert.equal((await store.manifest('2026/03/01/plain'))?.recordingId, 'plain')
  assert.equal((await store.manifest('2026/03/01/good'))?.recordingId, 'good')
  assert.equal(await store.manifest('2026/03/01/broken'), undefined)
  assert.ok(vault.placeOf(join(root, '2026/03/01/plain/manifest.json')) === undefined)
})

test('a recording that is published, or begun, while keys are rotated is sealed with the new key', async (t) => {
  const scene = open(t)
  const { root, keyFile, vault } = scene
  await publish(scene, 'a')
  const late = begin(scene, 'b')
  const keyOf = (id: string): string =>
    JSON.parse(readFileSync(join(root, `2026/03/01/${id}/data-key.json`), 'utf8')).key
  const { readFileSync: read, writeFileSync: write } = fs
  t.after(() => {
    Object.assign(fs, { readFileSync: read, writeFileSync: write })
    syncBuiltinESMExports()
  })
  // The recorder gives one folder its last name between the listing and its turn.
  Object.assign(fs, {
    readFileSync: (...args: Parameters<typeof read>) => {
      const [from, to] = ['b.open', 'b'].map((name) => join(root, '2026/03/01', name))
      if (String(args[0]).endsWith('a/data-key.json') && existsSync(from!)) renameSync(from!, to!)
      return read(...args)
    },
  })
  syncBuiltinESMExports()
  assert.deepEqual(rotateKeys({ root, keyFile }, true).failed, [])
  assert.equal(keyOf('b'), 'key-2')
  late.abandon()
  // And has read the keys for another before the rotation, but not written yet.
  let isRotated = false
  Object.assign(fs, {
    readFileSync: read,
    writeFileSync: (...args: Parameters<typeof write>) => {
      if (!isRotated && String(args[0]).endsWith('data-key.json.part')) {
        isRotated = true
        rotateKeys({ root, keyFile }, true)
      }
      write(...args)
    },
  })
  syncBuiltinESMExports()
  const folder = join(root, '2026/03/01/c')
  mkdirSync(folder)
  vault.begin(folder)
  assert.ok(isRotated)
  assert.equal(keyOf('c'), 'key-3')
})

test('a file that a loss of power left empty, or without its head, keeps nothing from being recovered', async (t) => {
  for (const bytes of [0, 20]) {
    const scene = open(t)
    begin(scene, 'left').flush()
    const folder = join(scene.root, '2026/03/01/left.open')
    for (const name of ['stream-2.index.jsonl', 'stream-2.run-1.x-unknown.rtp', 'metadata/history.jsonl']) {
      truncateSync(join(folder, name), bytes)
    }
    const { recovered, failures } = await recoverOpenFolders(scene.root, undefined, undefined, undefined, scene.vault)
    assert.deepEqual(failures, [])
    assert.equal(recovered[0]?.manifest.streams[0]?.runs[0]?.bytes, 30 * 800)
  }
})

test('a sealed file that a full disk does not take is closed all the same', async (t) => {
  const scene = open(t)
  const folder = await publish(scene, 'full')
  const path = join(folder, 'peaks.dat.part')
  symlinkSync('/dev/full', path)
  const openFiles = (): number => readdirSync('/proc/self/fd').length
  const before = openFiles()
  for (let at = 0; at < 5; at += 1) {
    assert.throws(() => scene.vault.output(path).close(), { code: 'ENOSPC' })
  }
  assert.equal(openFiles(), before)
})
