// Object storage as a port: whole objects, objects in parts, ranges. Everything rejects with what the server or the network says.

/** A bucket, or a part of one. An ETag is given without quotes. */
export interface ObjectStorage {
  /** Stores an object; resolves with its ETag. */
  put(key: string, bytes: Uint8Array): Promise<string>
  /** Begins an object in parts; resolves with the id of the upload. */
  beginParts(key: string): Promise<string>
  /** Stores part `number`, from 1; resolves with its ETag. */
  putPart(key: string, uploadId: string, number: number, bytes: Uint8Array): Promise<string>
  /** Makes the object of its parts; resolves with its ETag. */
  completeParts(key: string, uploadId: string, etags: readonly string[]): Promise<string>
  abortParts(key: string, uploadId: string): Promise<void>
  /** Bytes from `start` to `end`, both included; the whole object without. */
  read(key: string, range?: { readonly start: number; readonly end: number }): AsyncIterable<Uint8Array>
  sizeOf(key: string): Promise<number>
  list(prefix: string): Promise<readonly string[]>
  remove(key: string): Promise<void>
}
