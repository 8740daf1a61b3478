// Certificates that are renewed while the program runs: read anew when their files change, or when told to.

import { X509Certificate } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { type Clock, type Logger, messageOf, type Timer } from '#kernel'
import type { TlsOptions } from '#net'
import type { SipConfig } from './config-schema.ts'
import { readTls } from './tls-files.ts'

const POLL_MS = 30_000
/** A certificate that is valid for less than this is told of. */
const EXPIRY_NOTICE_MS = 14 * 86_400_000

/** What a renewal works with. */
export interface TlsRenewalOptions {
  readonly tls: NonNullable<SipConfig['tls']>
  readonly clock: Clock
  readonly log: Logger
  /** Puts certificates into force; throws an AppError for those that cannot be used. */
  readonly apply: (tls: TlsOptions) => void
}

/** Keeps the certificates of one role up to date; a bad new file leaves the old ones in force. */
export class TlsRenewal {
  readonly #options: TlsRenewalOptions
  readonly #files: readonly string[]
  #seen = ''
  #poll: Timer | undefined
  #isClosed = false

  constructor(options: TlsRenewalOptions) {
    this.#options = options
    const { tls } = options
    const sets = [tls, ...('identities' in tls ? tls.identities : [])]
    this.#files = sets.flatMap(({ certFile, keyFile, caFile }) => [
      certFile,
      keyFile,
      ...(caFile === undefined ? [] : [caFile]),
    ])
  }

  /** Looks at the files from now on. */
  async start(inForce: TlsOptions): Promise<void> {
    this.#tellExpiry(inForce)
    this.#seen = await this.#versions()
    this.#await()
  }

  /** Reads the files now, changed or not. */
  async renew(): Promise<void> {
    const { tls, log, apply } = this.#options
    try {
      this.#seen = await this.#versions()
      const renewed = await readTls(tls)
      if (this.#isClosed || renewed === undefined) return
      apply(renewed)
      log.info('tls certificates renewed')
      this.#tellExpiry(renewed)
    } catch (fault) {
      log.error('tls certificates could not be renewed, the old ones stay in force', { cause: messageOf(fault) })
    }
  }

  /** Looks no more. */
  close(): void {
    this.#isClosed = true
    this.#poll?.cancel()
  }

  #await(): void {
    if (this.#isClosed) return
    this.#poll = this.#options.clock.after(POLL_MS, 'tls-files', () => void this.#check().then(() => this.#await()))
  }

  async #check(): Promise<void> {
    if ((await this.#versions()) !== this.#seen) await this.renew()
  }

  /** A text that changes when a file does. */
  async #versions(): Promise<string> {
    const stats = this.#files.map((file) =>
      stat(file).then(
        ({ mtimeMs, ino, size }) => `${mtimeMs} ${ino} ${size}`,
        () => '',
      ),
    )
    return (await Promise.all(stats)).join()
  }

  #tellExpiry(tls: TlsOptions): void {
    const { clock, log } = this.#options
    const sets = [['own', tls] as const, ...(tls.identities ?? [])]
    for (const [identity, { cert }] of sets) {
      const { validTo } = new X509Certificate(cert)
      const leftMs = Date.parse(validTo) - clock.wallMs()
      if (leftMs < EXPIRY_NOTICE_MS)
        log.warn(leftMs < 0 ? 'tls certificate has expired' : 'tls certificate expires soon', { identity, validTo })
    }
  }
}
