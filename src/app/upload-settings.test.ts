import assert from 'node:assert/strict'
import { test } from 'node:test'
import { uploadSettings } from './upload-settings.ts'

const upload = {
  endpoint: 'https://s3.test/bucket',
  region: 'auto',
  accessKeyVariable: 'KEY',
  secretKeyVariable: 'SECRET',
  prefix: 'a/',
  partMebibytes: 8,
  parallel: 2,
  megabitsPerSecond: 80,
}

test('object storage: keys come out of the environment, sizes and rates in bytes', () => {
  const { s3, policy } = uploadSettings(upload, { KEY: 'id', SECRET: 'secret' })
  assert.deepEqual([s3.accessKeyId, s3.secretAccessKey], ['id', 'secret'])
  assert.deepEqual(policy, { prefix: 'a/', parallel: 2, partBytes: 8_388_608, bytesPerSecond: 10_000_000 })
})

test('a key that is not set is refused by code, without telling what was written in its place', () => {
  assert.throws(() => uploadSettings({ ...upload, secretKeyVariable: 'hunter2' }, { KEY: 'id' }), {
    code: 'config.key-missing',
    message: 'recorder.store.upload.secretKeyVariable: expected the name of a variable that is set',
  })
})
