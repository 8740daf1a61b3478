// TLS settings for SIP: 1.2 or newer, forward secrecy and AEAD only (RFC 9325), peers verified.

import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import { AppError, messageOf } from '#kernel'

/** One set of certificates; every value is PEM text. */
export interface TlsIdentity {
  /** Our certificate chain, shown to clients, and to servers that ask for one. */
  readonly cert: string
  /** Private key of `cert`. */
  readonly key: string
  /** Authorities that peers must be signed by; the well-known public ones when absent. */
  readonly ca?: string
  /** Let `*.example.com` in a server's certificate stand for one label, which RFC 5922 section 7.2 forbids. */
  readonly allowWildcard?: boolean
}

/** Certificates of one SIP transport. */
export interface TlsOptions extends TlsIdentity {
  /** Other certificates, by name, for the targets that ask for them. */
  readonly identities?: ReadonlyMap<string, TlsIdentity>
  /** Refuse clients that do not present a certificate signed by `ca` (mutual TLS). */
  readonly verifyClient?: boolean
}

const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

/** Settings shared by both ends of a connection. */
export function secureSettings(options: TlsIdentity): SecureContextOptions {
  return {
    cert: options.cert,
    key: options.key,
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  }
}

/** Throws AppError `net.tls-invalid` for clients to be verified against nothing. */
export function checkTls({ verifyClient, ca }: TlsOptions): void {
  if (verifyClient === true && ca === undefined) throw invalid('verifyClient needs a ca to verify clients against')
}

/** Builds a context; throws AppError `net.tls-invalid` when a PEM text is unusable or key and certificate differ. */
export function secureContext(identity: TlsIdentity): SecureContext {
  try {
    return createSecureContext(secureSettings(identity))
  } catch (fault) {
    throw invalid(messageOf(fault), fault)
  }
}

function invalid(detail: string, cause?: unknown): AppError {
  const verdict = { result: 'server', reason: 'tls-invalid' } as const
  return new AppError('net.tls-invalid', `TLS settings are unusable: ${detail}`, verdict, { cause })
}
