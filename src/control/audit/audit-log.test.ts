import assert from 'node:assert/strict'
import { appendFile, mkdir, mkdtemp, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ManualClock } from '#kernel'
import type { AuditNews } from './audit-entry.ts'
import { AuditLog, auditFiles, verifyAudit } from './audit-log.ts'

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'audit-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function logIn(folder: string, clock = new ManualClock(), maxBytes = 1_000_000, keepFiles = 100): AuditLog {
  return new AuditLog({ folder, maxBytes, keepFiles, clock })
}

function news(name: string, action: string, recordingId = 'r-1'): AuditNews {
  const who = { kind: 'account', name, id: 's' }
  return { who, from: '127.0.0.1', action, target: { recordingId }, outcome: 'done', status: 200 }
}

test('entries are read newest first, by who, by action, by target, by time, and page by page', async (t) => {
  const clock = new ManualClock()
  const log = logIn(await folderFor(t), clock)
  for (const [name, action, target] of [
    ['anna', 'recording.play', 'r-1'],
    ['ben', 'recording.delete', 'r-1'],
    ['anna', 'session.sign-out', 'r-2'],
  ] as const) {
    clock.advance(1_000)
    await log.append(news(name, action, target))
  }
  const seqs = async (query: object): Promise<number[]> =>
    (await log.read({ limit: 10, ...query })).map(({ seq }) => seq)
  assert.deepEqual(await seqs({}), [3, 2, 1])
  assert.deepEqual(await seqs({ limit: 1 }), [3])
  assert.deepEqual(await seqs({ before: 3 }), [2, 1])
  assert.deepEqual(await seqs({ name: 'anna' }), [3, 1])
  assert.deepEqual(await seqs({ action: 'recording.*' }), [2, 1])
  assert.deepEqual(await seqs({ action: 'recording.play' }), [1])
  assert.deepEqual(await seqs({ target: 'r-1' }), [2, 1])
  assert.deepEqual(await seqs({ since: '2026-01-05T09:00:02.000Z', until: '2026-01-05T09:00:02.500Z' }), [2])
  await log.close()
})

test('a log goes on where it stopped, also behind a line that a crash left unfinished', async (t) => {
  const folder = await folderFor(t)
  const first = logIn(folder)
  await first.append(news('anna', 'a'))
  await first.close()
  await appendFile(join(folder, 'audit.jsonl'), '{"seq":2,"ti')
  const second = logIn(folder)
  assert.equal((await second.append(news('ben', 'b'))).seq, 2)
  await second.close()
  assert.deepEqual(await verifyAudit(folder), { entries: 2 })
})

test('a full file is put aside, the chain goes on over it, and the oldest files go', async (t) => {
  const folder = await folderFor(t)
  const log = logIn(folder, new ManualClock(), 1_000, 3)
  for (let at = 0; at < 30; at += 1) await log.append(news('anna', 'a'))
  assert.equal((await auditFiles(folder).list()).length, 3)
  const entries = await log.read({ limit: 100 })
  assert.equal(entries[0]?.seq, 30)
  assert.ok(entries.length > 5 && entries.length < 30, `${entries.length}`)
  assert.deepEqual(await verifyAudit(folder), { entries: entries.length })
  await log.close()
})

test('what was changed, left out, or put in another order is found', async (t) => {
  const folder = await folderFor(t)
  const log = logIn(folder)
  for (const name of ['anna', 'ben', 'carol']) await log.append(news(name, 'recording.play'))
  await log.close()
  const file = join(folder, 'audit.jsonl')
  const [one = '', two = '', three = ''] = (await readFile(file, 'utf8')).split('\n')
  for (const [lines, brokenAt] of [
    [[one, two.replace('ben', 'eve'), three], 2],
    [[one, three], 3],
    [[two, three], undefined],
    [[one.replace('anna', 'eve'), two, three], 1],
    [[one, three, two], 3],
  ] as const) {
    await writeFile(file, `${lines.join('\n')}\n`)
    assert.equal((await verifyAudit(folder)).brokenAt, brokenAt)
  }
})

test('an entry that cannot be written rejects, and the chain is not broken by it', async (t) => {
  const folder = await folderFor(t)
  await writeFile(join(folder, 'file'), '')
  await assert.rejects(logIn(join(folder, 'file', 'x')).append(news('anna', 'a')))
})

test('a log that could not begin its next file goes on as soon as it can', async (t) => {
  const folder = await folderFor(t)
  const log = logIn(folder, new ManualClock(), 100)
  await log.append(news('anna', 'a'))
  await rename(folder, `${folder}.away`)
  await writeFile(folder, '')
  await assert.rejects(log.append(news('anna', 'b')))
  await rm(folder)
  await rename(`${folder}.away`, folder)
  // As if the file had been put aside and no new one could be opened.
  await rename(join(folder, 'audit.jsonl'), join(folder, 'audit-000000000001.jsonl'))
  await mkdir(join(folder, 'audit.jsonl'))
  await assert.rejects(log.append(news('anna', 'b')))
  await rmdir(join(folder, 'audit.jsonl'))
  assert.equal((await log.append(news('anna', 'b'))).seq, 2)
  await log.close()
  assert.deepEqual(await verifyAudit(folder), { entries: 2 })
})
