// The throw-away certificates of test/fixtures/tls.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TlsOptions } from '#net'

/** Path of a file there. */
export function tlsFixture(name: string): string {
  return join(import.meta.dirname, '..', '..', '..', 'test', 'fixtures', 'tls', name)
}

/** A certificate with its key, and the authority that the tests trust. */
export function tlsIdentity(name: string): TlsOptions {
  const pem = (file: string): string => readFileSync(tlsFixture(`${file}.pem`), 'utf8')
  return { cert: pem(`${name}.cert`), key: pem(`${name}.key`), ca: pem('ca.cert') }
}
