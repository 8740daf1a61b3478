import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { AttestedStore } from '../../../test/harness/attested-store.ts'
import { recoverOpenFolders } from '../recovery.ts'
import { parseEvidence } from './evidence-file.ts'
import { Notary } from './notary.ts'
import { openSigningKey, readPublicKeys } from './signing-key.ts'
import { verifyEvidence } from './verify.ts'

const DAY = '2026/03/01'
const [OPENSSL, SHA256SUM] = ['openssl', 'sha256sum']

test('SEC-22 media, metadata, ledger and manifest are hashed and signed at the close, and verify without anything but a public key', async (t) => {
  const store = await AttestedStore.open(t)
  const folder = await store.publish('one')
  const { files } = parseEvidence(readFileSync(join(folder, 'evidence.json'), 'utf8')) ?? { files: [] }
  assert.deepEqual(
    files.map(({ name }) => name),
    [
      'manifest.json',
      'metadata/0001.xml',
      'metadata/0002.xml',
      'metadata/history.jsonl',
      'metadata/state.json',
      'peaks.dat',
      'recording.flac',
      'recording.wav',
      'stream-1.index.jsonl',
      'stream-1.run-1.pcmu.wav',
      'stream-2.index.jsonl',
      'stream-2.run-1.x-unknown.rtp',
    ],
  )
  assert.match(readFileSync(join(folder, 'manifest.json'), 'utf8'), /paused-here/)
  for (const path of [store.root, join(store.root, DAY), folder]) {
    const { findings, recordings, proved, lines } = await store.verify(path)
    assert.deepEqual({ findings, recordings, proved, lines }, { findings: [], recordings: 1, proved: 1, lines: 1 })
  }
})

test('openssl and sha256sum say the same of a recording', async (t) => {
  const store = await AttestedStore.open(t)
  const folder = await store.publish('one')
  const signed = ['-in', 'evidence.json', '-sigfile', 'evidence.sig']
  const verified = spawnSync(
    OPENSSL,
    ['pkeyutl', '-verify', '-pubin', '-inkey', store.publicKeyFile, '-rawin', ...signed],
    { cwd: folder },
  )
  if (verified.error !== undefined) return t.skip('openssl is not installed')
  assert.equal(verified.status, 0, String(verified.stderr))
  const { files } = parseEvidence(readFileSync(join(folder, 'evidence.json'), 'utf8')) ?? { files: [] }
  const input = files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join('')
  assert.equal(spawnSync(SHA256SUM, ['--check', '--strict'], { cwd: folder, input }).status, 0)
})

test('a single bit that is flipped in any file of a recording is found, and where', async (t) => {
  const store = await AttestedStore.open(t)
  const folder = await store.publish('one')
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  )
  assert.equal(names.length, 14)
  for (const name of names) {
    const original = readFileSync(join(folder, name))
    await fc.assert(
      fc.asyncProperty(fc.nat(original.length * 8 - 1), async (bit) => {
        const bytes = Buffer.from(original)
        bytes[bit >> 3]! ^= 1 << (bit & 7)
        writeFileSync(join(folder, name), bytes)
        const found = await store.findings(folder)
        const place = name === 'evidence.sig' ? 'evidence.json' : name
        assert.ok(found.length > 0, `${name} bit ${bit}`)
        assert.ok(
          found.some((one) => one.endsWith(` ${DAY}/one/${place}`)),
          `${name} bit ${bit}: ${found}`,
        )
        if (!name.startsWith('evidence')) assert.deepEqual(found, [`file-changed ${DAY}/one/${name}`])
      }),
      { numRuns: 12 },
    )
    writeFileSync(join(folder, name), original)
  }
  assert.deepEqual(await store.findings(folder), [])
})

test('files that are cut off, made longer, removed, put in, exchanged or replaced by links are told apart', async (t) => {
  const store = await AttestedStore.open(t)
  const folder = await store.publish('one')
  const cases: readonly (readonly [string, (path: string) => void, readonly string[]])[] = [
    ['peaks.dat', (path) => truncateSync(path, 20), ['file-truncated peaks.dat']],
    ['recording.wav', (path) => appendFileSync(path, 'x'), ['file-extended recording.wav']],
    ['metadata/0001.xml', (path) => rmSync(path), ['file-missing metadata/0001.xml']],
    ['metadata/0003.xml', (path) => writeFileSync(path, '<x/>'), ['file-inserted metadata/0003.xml']],
    [
      'metadata/0001.xml',
      (path) => copyFileSync(path.replace('1.xml', '2.xml'), path),
      ['file-changed metadata/0001.xml'],
    ],
    [
      'peaks.dat',
      (path) => {
        rmSync(path)
        symlinkSync(join(folder, 'recording.wav'), path)
      },
      ['file-changed peaks.dat'],
    ],
    ['evidence.sig', (path) => rmSync(path), ['evidence-missing evidence.sig']],
    ['evidence.json', (path) => rmSync(path), ['evidence-missing evidence.json']],
  ]
  cpSync(folder, join(store.root, 'spare'), { recursive: true })
  for (const [name, tamper, expected] of cases) {
    tamper(join(folder, name))
    assert.deepEqual(
      await store.findings(folder),
      expected.map((one) => one.replace(' ', ` ${DAY}/one/`)),
      name,
    )
    rmSync(folder, { recursive: true })
    cpSync(join(store.root, 'spare'), folder, { recursive: true })
  }
  assert.deepEqual(await store.findings(folder), [])
})

test('evidence that is signed anew with another key is told as such, in the folder and in the chain', async (t) => {
  const store = await AttestedStore.open(t)
  const folder = await store.publish('one')
  const foreign = await Notary.open({ root: store.root, keyFile: join(store.root, '../foreign.pem') }, () =>
    Date.UTC(2026, 2, 1),
  )
  t.after(() => foreign.close())
  writeFileSync(join(folder, 'metadata/0001.xml'), '<lie/>')
  await foreign.attest(folder)
  assert.deepEqual(await store.findings(), [
    `foreign-key ${DAY}/chain.jsonl:2`,
    `foreign-key ${DAY}/one/evidence.json`,
    `not-in-chain ${DAY}/one`,
  ])
  const keys = readPublicKeys([store.publicKeyFile, join(store.root, '../foreign.pem.pub')])
  assert.deepEqual((await verifyEvidence({ path: store.root, keys })).findings, [])
})

test('lines of the chain that are changed, removed, moved, repeated or cut off are told apart', async (t) => {
  const store = await AttestedStore.open(t)
  for (const id of ['a', 'b', 'c', 'd']) await store.publish(id)
  const path = join(store.root, DAY, 'chain.jsonl')
  const original = readFileSync(path, 'utf8')
  const lines = original.split('\n').slice(0, -1)
  const chainFindings = async (changed: readonly string[], end = '\n') => {
    writeFileSync(path, changed.join('\n') + end)
    const found = (await store.verify()).findings.filter(({ where }) => where.includes('chain.jsonl'))
    return found.map(({ code, where }) => `${code} ${where.split(':')[1]}`)
  }
  const [a, b, c, d] = lines as [string, string, string, string]
  assert.deepEqual(await chainFindings(lines), [])
  assert.deepEqual(await chainFindings([a, b.replace('"b"', '"x"'), c, d]), ['line-changed 2'])
  assert.deepEqual(await chainFindings([a, 'not a line', c, d]), ['line-changed 2'])
  assert.deepEqual(await chainFindings([a, c, d]), ['line-missing 2'])
  assert.deepEqual(await chainFindings([b, c, d]), ['line-missing 1'])
  assert.deepEqual(await chainFindings([a, c, b, d]), ['line-moved 3'])
  assert.deepEqual(await chainFindings([a, b, b, c, d]), ['line-inserted 3'])
  assert.deepEqual(await chainFindings([a, b, c, d.slice(0, -9)], ''), ['line-torn 4'])
  await fc.assert(
    fc.asyncProperty(fc.nat(original.length * 8 - 1), async (bit) => {
      const bytes = Buffer.from(original)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      writeFileSync(path, bytes)
      const findings = await store.findings()
      assert.ok(
        findings.some((one) => one.includes('chain.jsonl')),
        `bit ${bit}: ${findings}`,
      )
    }),
    { numRuns: 60 },
  )
})

test('a chain that is cut off at its end is seen by the recordings that lost their lines, by the next day, and by a head that was kept', async (t) => {
  const store = await AttestedStore.open(t)
  await store.publish('a')
  const last = await store.publish('b')
  const { head } = await store.verify()
  const path = join(store.root, DAY, 'chain.jsonl')
  const whole = readFileSync(path, 'utf8')
  const cut = `${whole.split('\n')[0]}\n`
  writeFileSync(path, cut)
  assert.deepEqual(await store.findings(), [`not-in-chain ${DAY}/b`])
  rmSync(last, { recursive: true })
  assert.deepEqual(await store.findings(), [])
  assert.deepEqual(await store.findings(undefined, head?.hash), ['head-missing chain.jsonl'])
  writeFileSync(path, whole)
  store.nextDay()
  await store.publish('c')
  assert.deepEqual(await store.findings(), [`recording-missing ${DAY}/b`])
  writeFileSync(path, cut)
  assert.deepEqual(await store.findings(), ['line-missing 2026/03/02/chain.jsonl:1'])
  assert.deepEqual(await store.findings(join(store.root, DAY)), ['line-missing 2026/03/02/chain.jsonl:1'])
  rmSync(path)
  assert.ok((await store.findings()).includes('line-missing 2026/03/02/chain.jsonl:1'))
})

test('recordings that are removed, put in, exchanged or brought back are told, and one that was deleted on purpose is not missed', async (t) => {
  const store = await AttestedStore.open(t)
  const [a, b] = [await store.publish('a'), await store.publish('b')]
  cpSync(a, join(store.root, DAY, 'x'), { recursive: true })
  assert.deepEqual(await store.findings(), [`evidence-swapped ${DAY}/x/evidence.json`, `not-in-chain ${DAY}/x`])
  rmSync(join(store.root, DAY, 'x'), { recursive: true })
  mkdirSync(join(store.root, DAY, 'y'))
  writeFileSync(join(store.root, DAY, 'y/manifest.json'), '{}')
  assert.deepEqual(await store.findings(), [`recording-inserted ${DAY}/y`])
  rmSync(join(store.root, DAY, 'y'), { recursive: true })
  const spare = join(store.root, 'spare')
  renameSync(a, spare)
  assert.deepEqual(await store.findings(), [`recording-missing ${DAY}/a`])
  renameSync(b, a)
  assert.deepEqual(await store.findings(), [
    `evidence-swapped ${DAY}/a/evidence.json`,
    `not-in-chain ${DAY}/a`,
    `recording-missing ${DAY}/b`,
  ])
  renameSync(a, b)
  renameSync(spare, a)
  store.notary.noteDeletion('a', a, { reason: 'retention', actor: 'rule 1', atMs: 0 })
  assert.deepEqual(await store.findings(), [`recording-came-back ${DAY}/a`])
  rmSync(a, { recursive: true })
  const { findings, deleted, proved } = await store.verify()
  assert.deepEqual({ findings, deleted, proved }, { findings: [], deleted: 1, proved: 1 })
})

test('a recorder that died between vouching and publishing publishes what it vouched for, and no line is there twice', async (t) => {
  const store = await AttestedStore.open(t)
  const attestAndDie = async (path: string): Promise<void> => {
    await store.notary.attest(path)
    throw new Error('killed')
  }
  await assert.rejects(store.publish('one', attestAndDie), /killed/)
  assert.deepEqual(await store.findings(), [])
  const { recovered, failures } = await recoverOpenFolders(store.root, undefined, undefined, store.notary)
  assert.deepEqual(failures, [])
  assert.equal(recovered[0]?.manifest.recovered, false)
  const { findings, proved, lines } = await store.verify()
  assert.deepEqual({ findings, proved, lines }, { findings: [], proved: 1, lines: 1 })
})

test('a recorder that died while it wrote evidence, or its line, vouches for what recovery makes of the recording', async (t) => {
  const store = await AttestedStore.open(t)
  await store.publish('before')
  const writeAndDie = async (path: string): Promise<void> => {
    writeFileSync(join(path, 'evidence.json'), '{ "version": 1, "recordingId"')
    appendFileSync(join(store.root, DAY, 'chain.jsonl'), '{"number":2,"at":"2026')
    throw new Error('killed')
  }
  await assert.rejects(store.publish('one', writeAndDie), /killed/)
  store.begin('two').flush()
  const { failures } = await recoverOpenFolders(store.root, undefined, undefined, store.notary)
  assert.deepEqual(failures, [])
  const { findings, proved, lines } = await store.verify()
  assert.deepEqual({ findings, proved, lines }, { findings: [], proved: 3, lines: 3 })
})

test('evidence of before does not stay with a recording that is published without any', async (t) => {
  const store = await AttestedStore.open(t)
  await assert.rejects(
    store.publish('one', async (path) => {
      writeFileSync(join(path, 'evidence.json'), 'stale')
      throw new Error('killed')
    }),
  )
  const { recovered } = await recoverOpenFolders(store.root)
  assert.equal(existsSync(join(recovered[0]?.folder ?? '', 'evidence.json')), false)
})

test('notaries that vouch at the same time make one chain', async (t) => {
  const store = await AttestedStore.open(t)
  const notaries = await Promise.all(
    Array.from({ length: 4 }, () =>
      Notary.open({ root: store.root, keyFile: store.keyFile }, () => Date.UTC(2026, 2, 1)),
    ),
  )
  t.after(() => {
    for (const notary of notaries) notary.close()
  })
  const folders = Array.from({ length: 12 }, (_unused, index) => join(store.root, DAY, `r${index}`))
  for (const folder of folders) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'manifest.json'), '{}')
  }
  await Promise.all(folders.map((folder, index) => notaries[index % 4]!.attest(folder)))
  const { findings, lines } = await store.verify()
  assert.deepEqual({ findings, lines }, { findings: [], lines: 12 })
})

test('a key file that holds no Ed25519 key is refused by its name, and only the owner can read one that is made', async (t) => {
  const store = await AttestedStore.open(t)
  assert.equal(statSync(store.keyFile).mode & 0o777, 0o600)
  assert.equal(openSigningKey(store.keyFile).keyId, openSigningKey(store.keyFile).keyId)
  const path = join(store.root, 'rsa.pem')
  writeFileSync(path, 'nothing')
  assert.throws(() => openSigningKey(path), /rsa\.pem: no key in PEM/)
  assert.throws(() => readPublicKeys([path]), /rsa\.pem: no key in PEM/)
})
