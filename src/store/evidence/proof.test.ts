import assert from 'node:assert/strict'
import { appendFileSync, copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { type TestContext, test } from 'node:test'
import { AttestedStore } from '../../../test/harness/attested-store.ts'
import { Notary } from './notary.ts'
import { evidenceOf, proveRecording, type RecordingProof } from './proof.ts'

interface Scene {
  readonly store: AttestedStore
  /** Folder of the recording that is asked for; another stands before and behind it in the chain. */
  readonly path: string
  readonly chain: string
  prove(keyFile?: string): Promise<RecordingProof>
}

async function openScene(t: TestContext): Promise<Scene> {
  const store = await AttestedStore.open(t)
  await store.publish('before')
  const path = await store.publish('asked')
  await store.publish('behind')
  const folder = relative(store.root, path)
  const prove = (keyFile = store.keyFile): Promise<RecordingProof> => proveRecording(store.root, folder, keyFile)
  return { store, path, chain: join(path, '../chain.jsonl'), prove }
}

const codes = ({ findings }: Pick<RecordingProof, 'findings'>): string[] => findings.map(({ code }) => code)

test('a recording that is as it was is proved, with its key, its line and its day', async (t) => {
  const { store, path, prove } = await openScene(t)
  const proof = await prove()
  const { keyIds, evidence, line, day } = proof
  assert.deepEqual([proof.outcome, proof.findings, proof.elsewhere], ['proved', [], []])
  assert.deepEqual(keyIds, [evidence?.keyId])
  assert.deepEqual([line?.number, line?.day], [2, day?.name])
  assert.deepEqual([day?.lines, day?.findings], [3, []])
  const kept = evidenceOf(store.root, relative(store.root, path))
  assert.equal(kept?.signature, readFileSync(join(path, 'evidence.sig')).toString('base64'))
  assert.ok(kept.line?.text.includes(kept.hash))
})

test('a file that was changed, and one that was put in, is told', async (t) => {
  const { path, prove } = await openScene(t)
  appendFileSync(join(path, 'manifest.json'), ' ')
  const changed = await prove()
  assert.deepEqual([changed.outcome, codes(changed)], ['altered', ['file-extended']])
  writeFileSync(join(path, 'new.wav'), '')
  assert.deepEqual(codes(await prove()), ['file-extended', 'file-inserted'])
})

test('a recording whose line is gone is not chained; so is one whose day has no chain', async (t) => {
  const { chain, prove } = await openScene(t)
  const lines = readFileSync(chain, 'utf8').split('\n')
  writeFileSync(chain, [lines[0], lines[2], ''].join('\n'))
  const cut = await prove()
  assert.deepEqual([cut.outcome, cut.line, codes(cut)], ['not-chained', undefined, ['not-in-chain']])
  assert.deepEqual(cut.day && codes(cut.day), ['line-missing'])
  rmSync(chain)
  const gone = await prove()
  assert.equal(gone.outcome, 'not-chained')
  assert.deepEqual([gone.day?.lines, gone.day && codes(gone.day)], [0, ['line-missing']])
})

test('a line of another recording that was changed is told of the day, and not of the recording', async (t) => {
  const { chain, prove } = await openScene(t)
  writeFileSync(chain, readFileSync(chain, 'utf8').replace('"before"', '"befire"'))
  const proof = await prove()
  assert.deepEqual([proof.outcome, proof.findings], ['proved', []])
  assert.deepEqual(proof.day && codes(proof.day), ['line-changed'])
})

test('lines that were cut off at the end of the day are missed by the next day', async (t) => {
  const { store, chain, prove } = await openScene(t)
  store.nextDay()
  await store.publish('tomorrow')
  assert.deepEqual((await prove()).day?.findings, [])
  const lines = readFileSync(chain, 'utf8').split('\n')
  writeFileSync(chain, [lines[0], lines[1], ''].join('\n'))
  const { outcome, day } = await prove()
  assert.deepEqual([outcome, day && codes(day)], ['proved', ['line-missing']])
})

test('a recording that another key signed is told as such, and one that nobody vouches for', async (t) => {
  const { store, path, prove } = await openScene(t)
  const other = join(store.root, '../other.pem')
  const notary = await Notary.open({ root: join(store.root, '../elsewhere'), keyFile: other }, () => 1)
  t.after(() => notary.close())
  assert.equal((await prove(other)).outcome, 'unknown-key')
  for (const name of ['evidence.json', 'evidence.sig']) rmSync(join(path, name))
  const stripped = await prove()
  assert.deepEqual([stripped.outcome, stripped.evidence], ['altered', undefined])
  const plain = await store.publish('plain', async () => {})
  assert.ok(!existsSync(join(plain, 'evidence.json')))
  const unvouched = await proveRecording(store.root, relative(store.root, plain), store.keyFile)
  assert.equal(unvouched.outcome, 'unvouched')
  assert.equal(evidenceOf(store.root, relative(store.root, plain)), undefined)
})

test('without a key file the key that the store names counts', async (t) => {
  const { store, path } = await openScene(t)
  const folder = relative(store.root, path)
  assert.equal((await proveRecording(store.root, folder, undefined)).outcome, 'proved')
  copyFileSync(store.publicKeyFile, join(store.root, 'kept.pem'))
  rmSync(join(store.root, 'evidence-public-key.pem'))
  const { outcome, keyIds } = await proveRecording(store.root, folder, undefined)
  assert.deepEqual([outcome, keyIds], ['unknown-key', []])
})
