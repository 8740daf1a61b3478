// Object storage that speaks the S3 protocol.

import { S3mini } from 's3mini'
import type { ObjectStorage } from './object-storage.ts'

/** How to reach a bucket. */
export interface S3Settings {
  /** Address of the bucket, e.g. `https://s3.example.com/recordings`. */
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

const REQUEST_MS = 120_000

/** Opens a bucket; nothing is sent yet. */
export function openS3(settings: S3Settings): ObjectStorage {
  const s3 = new S3mini({ ...settings, requestAbortTimeout: REQUEST_MS })
  return {
    put: async (key, bytes) => {
      const response = await s3.putObject(key, bytes)
      return s3.sanitizeETag(response.headers.get('etag') ?? '')
    },
    beginParts: (key) => s3.getMultipartUploadId(key),
    putPart: async (key, uploadId, number, bytes) => (await s3.uploadPart(key, uploadId, bytes, number)).etag,
    completeParts: async (key, uploadId, etags) => {
      const parts = etags.map((etag, index) => ({ partNumber: index + 1, etag }))
      return (await s3.completeMultipartUpload(key, uploadId, parts)).etag
    },
    abortParts: async (key, uploadId) => {
      await s3.abortMultipartUpload(key, uploadId)
    },
    read: async function* (key, range) {
      // The end of its ranges is excluded.
      const response = await (range === undefined
        ? s3.getObjectRaw(key)
        : s3.getObjectRaw(key, false, range.start, range.end + 1))
      if (range !== undefined && response.status !== 206) throw new Error('object storage gave no part of the object')
      if (response.body !== null) yield* response.body as unknown as AsyncIterable<Uint8Array>
    },
    sizeOf: (key) => s3.getContentLength(key),
    list: async (prefix) => ((await s3.listObjects('/', prefix)) ?? []).map(({ Key }) => Key),
    remove: async (key) => {
      await s3.deleteObject(key)
    },
  }
}
