// Reads the certificates that the configuration names.

import { readFile } from 'node:fs/promises'
import { AppError, messageOf } from '#kernel'
import type { TlsIdentity, TlsOptions } from '#net'
import type { SipConfig, TlsFiles } from './config-schema.ts'

/** PEM texts of a `tls` section; undefined without one. Rejects with AppError `config.tls-unreadable`. */
export async function readTls(tls: SipConfig['tls']): Promise<TlsOptions | undefined> {
  if (tls === undefined) return undefined
  const identities = new Map<string, TlsIdentity>()
  for (const files of 'identities' in tls ? tls.identities : []) identities.set(files.name, await readIdentity(files))
  return { ...(await readIdentity(tls)), verifyClient: tls.verifyClient, identities }
}

/** PEM texts of a certificate and its key; rejects with AppError `config.tls-unreadable`. */
export async function readCertificate(files: Pick<TlsFiles, 'certFile' | 'keyFile'>) {
  return { cert: await readPem(files.certFile), key: await readPem(files.keyFile) }
}

async function readIdentity({ certFile, keyFile, caFile, allowWildcard }: TlsFiles): Promise<TlsIdentity> {
  return {
    ...(await readCertificate({ certFile, keyFile })),
    allowWildcard,
    ...(caFile === undefined ? {} : { ca: await readPem(caFile) }),
  }
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (fault) {
    const verdict = { result: 'client', reason: 'tls-unreadable' } as const
    throw new AppError('config.tls-unreadable', `cannot read ${file}: ${messageOf(fault)}`, verdict, { cause: fault })
  }
}
