import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { type TestContext, test } from 'node:test'
import { AttestedStore } from '../../../test/harness/attested-store.ts'
import { exportRecording } from './export.ts'
import { formerKeyFileOf, formerKeys, keepFormerKey } from './former-keys.ts'
import { Notary, PUBLIC_KEY_FILE } from './notary.ts'
import { proveRecording } from './proof.ts'
import { openSigningKey, readPublicKeys, rotateSigningKey } from './signing-key.ts'
import { verifyEvidence } from './verify.ts'

/** Named here so that it is not taken for a program of a package. */
const OPENSSL = 'openssl'
const NOW_MS = Date.UTC(2026, 2, 1, 13)

interface Scene {
  readonly store: AttestedStore
  /** Folders of two recordings, signed before the key was changed and after it. */
  readonly old: string
  readonly young: string
  readonly ids: { readonly old: string; readonly young: string }
}

/** A store whose key is changed between two recordings. */
async function openScene(t: TestContext, change: (keyFile: string) => void): Promise<Scene> {
  const store = await AttestedStore.open(t)
  const old = await store.publish('old')
  const { keyId } = openSigningKey(store.keyFile)
  change(store.keyFile)
  const notary = await Notary.open({ root: store.root, keyFile: store.keyFile }, () => NOW_MS)
  t.after(() => notary.close())
  const young = await store.publish('young', (path) => notary.attest(path))
  return { store, old, young, ids: { old: keyId, young: openSigningKey(store.keyFile).keyId } }
}

for (const [how, change] of [
  ['rotation', (keyFile: string) => void rotateSigningKey(keyFile)],
  ['removing the private key by hand', (keyFile: string) => rmSync(keyFile)],
] as const) {
  test(`SEC-22: after a change of the key by ${how}, what either key signed is proved, and which one it was is told`, async (t) => {
    const { store, old, young, ids } = await openScene(t, change)
    assert.notEqual(ids.old, ids.young)
    for (const [folder, isFormerKey, keyId] of [
      [old, true, ids.old],
      [young, false, ids.young],
    ] as const) {
      const proof = await proveRecording(store.root, relative(store.root, folder), store.keyFile)
      assert.deepEqual([proof.outcome, proof.findings, proof.day?.findings], ['proved', [], []])
      assert.deepEqual([proof.isFormerKey, proof.evidence?.keyId], [isFormerKey, keyId])
      assert.deepEqual(proof.keyIds, [ids.young, ids.old])
    }
    const [present, former] = [store.publicKeyFile, formerKeyFileOf(store.keyFile)]
    for (const files of [[present, former], [join(store.root, PUBLIC_KEY_FILE)]]) {
      const { findings, provedBy } = await verifyEvidence({ path: store.root, keys: readPublicKeys(files) })
      assert.deepEqual([findings, provedBy], [[], { [ids.old]: 1, [ids.young]: 1 }])
    }
    const { findings } = await verifyEvidence({ path: store.root, keys: readPublicKeys([present]) })
    assert.deepEqual(
      findings.filter(({ code }) => code === 'foreign-key').map(({ detail }) => detail),
      Array(2).fill(`signed by key ${ids.old}, which is not given`),
    )
  })
}

test('a former private key is gone, the new one is for its owner alone, and former keys are kept once, the oldest first', async (t) => {
  const store = await AttestedStore.open(t)
  const pems = [readFileSync(store.publicKeyFile, 'utf8')]
  const before = readFileSync(store.keyFile, 'utf8')
  for (let turn = 0; turn < 3; turn++) {
    const { former, keyId } = rotateSigningKey(store.keyFile)
    assert.notEqual(former, keyId)
    assert.equal(openSigningKey(store.keyFile).keyId, keyId)
    pems.push(readFileSync(store.publicKeyFile, 'utf8'))
  }
  keepFormerKey(store.keyFile, pems[0]!)
  assert.deepEqual(formerKeys(store.keyFile), pems.slice(0, 3))
  assert.notEqual(readFileSync(store.keyFile, 'utf8'), before)
  assert.equal(statSync(store.keyFile).mode & 0o777, 0o600)
  assert.equal(existsSync(`${store.keyFile}.part`), false)
  assert.throws(() => rotateSigningKey(join(store.root, 'none.pem')), /no key yet/)
})

test('a rotation that died before the new public key was written is settled at the next start', async (t) => {
  const { store, old } = await openScene(t, (keyFile) => {
    const present = readFileSync(`${keyFile}.pub`, 'utf8')
    rotateSigningKey(keyFile)
    writeFileSync(`${keyFile}.pub`, present)
  })
  const proof = await proveRecording(store.root, relative(store.root, old), store.keyFile)
  assert.deepEqual([proof.outcome, proof.isFormerKey, proof.keyIds.length], ['proved', true, 2])
})

test('a key that is put among the recordings is no former one, whatever it has signed', async (t) => {
  const { store } = await openScene(t, (keyFile) => void rotateSigningKey(keyFile))
  const forger = join(store.root, '../forger.pem')
  const notary = await Notary.open({ root: join(store.root, '../elsewhere'), keyFile: forger }, () => NOW_MS)
  t.after(() => notary.close())
  const forged = await store.publish('forged', (path) => notary.attest(path))
  appendFileSync(join(store.root, PUBLIC_KEY_FILE), readFileSync(`${forger}.pub`))
  const { outcome, isFormerKey } = await proveRecording(store.root, relative(store.root, forged), store.keyFile)
  assert.deepEqual([outcome, isFormerKey], ['unknown-key', undefined])
})

test('a recording that a former key signed is exported with that key, which OpenSSL takes', async (t) => {
  const { store, old } = await openScene(t, (keyFile) => void rotateSigningKey(keyFile))
  const to = join(store.root, '../out')
  exportRecording(old, to)
  const key = join(to, PUBLIC_KEY_FILE)
  const { findings, proved } = await verifyEvidence({ path: join(to, 'old'), keys: readPublicKeys([key]) })
  assert.deepEqual([findings, proved], [[], 1])
  const signed = ['-rawin', '-in', 'evidence.json', '-sigfile', 'evidence.sig']
  const verified = spawnSync(OPENSSL, ['pkeyutl', '-verify', '-pubin', '-inkey', key, ...signed], {
    cwd: join(to, 'old'),
  })
  if (verified.error !== undefined) return t.skip('openssl is not installed')
  assert.equal(verified.status, 0, String(verified.stderr))
})
