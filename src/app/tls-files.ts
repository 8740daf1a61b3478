// Reads the certificates that the configuration names.

import { readFile } from 'node:fs/promises'
import { AppError, messageOf } from '#kernel'
import type { TlsOptions } from '#net'
import type { SipConfig } from './config-schema.ts'

/** PEM texts of a `tls` section; undefined without one. Rejects with AppError `config.tls-unreadable`. */
export async function readTls(tls: SipConfig['tls']): Promise<TlsOptions | undefined> {
  if (tls === undefined) return undefined
  const [cert, key, ca] = await Promise.all([
    readPem(tls.certFile),
    readPem(tls.keyFile),
    tls.caFile === undefined ? undefined : readPem(tls.caFile),
  ])
  return { cert, key, verifyClient: tls.verifyClient, ...(ca === undefined ? {} : { ca }) }
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (fault) {
    const verdict = { result: 'client', reason: 'tls-unreadable' } as const
    throw new AppError('config.tls-unreadable', `cannot read ${file}: ${messageOf(fault)}`, verdict, { cause: fault })
  }
}
