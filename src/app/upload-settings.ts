// Object storage as the configuration describes it; keys come out of the environment, never out of the file.

import { AppError } from '#kernel'
import type { S3Settings, UploadPolicy } from '#store'
import type { Environment } from './config.ts'
import type { RecorderConfig } from './config-schema.ts'

const MEBIBYTE = 2 ** 20
const BITS = 8

/** Reads the keys; throws AppError `config.key-missing` where a variable is not set. */
export function uploadSettings(
  upload: NonNullable<RecorderConfig['store']['upload']>,
  environment: Environment,
): { readonly s3: S3Settings; readonly policy: UploadPolicy } {
  const { endpoint, region, accessKeyVariable, secretKeyVariable, prefix, parallel } = upload
  const { partMebibytes, megabitsPerSecond, keepLocalDays } = upload
  return {
    s3: {
      endpoint,
      region,
      accessKeyId: keyOf('accessKeyVariable', accessKeyVariable, environment),
      secretAccessKey: keyOf('secretKeyVariable', secretKeyVariable, environment),
    },
    policy: {
      prefix,
      parallel,
      partBytes: partMebibytes * MEBIBYTE,
      ...(megabitsPerSecond !== undefined && { bytesPerSecond: (megabitsPerSecond * 1e6) / BITS }),
      ...(keepLocalDays !== undefined && { keepLocalDays }),
    },
  }
}

function keyOf(key: string, variable: string, environment: Environment): string {
  const value = environment[variable] ?? ''
  if (value !== '') return value
  // The name is not told: it may be the key itself, put in the wrong place.
  const message = `recorder.store.upload.${key}: expected the name of a variable that is set`
  throw new AppError('config.key-missing', message, { result: 'client', reason: 'key-missing' })
}
