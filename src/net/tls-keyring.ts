// The certificates in force: the transport's own and the named ones, replaced all at once or not at all.

import { X509Certificate } from 'node:crypto'
import type { SecureContext, SecureContextOptions } from 'node:tls'
import { provesIdentity } from './tls-identity.ts'
import { checkTls, secureContext, secureSettings, type TlsIdentity, type TlsOptions } from './tls-options.ts'

/** What a TLS connection that we open is made with. */
export interface TlsClientSide {
  readonly context: SecureContext
  readonly allowWildcard: boolean
}

interface ServerSide {
  readonly names: string
  readonly context: SecureContext
}

interface Loaded {
  readonly options: TlsOptions
  readonly own: TlsClientSide
  readonly named: ReadonlyMap<string, TlsClientSide>
  readonly served: readonly ServerSide[]
}

/** Certificates by name. */
export class TlsKeyring {
  #loaded: Loaded

  /** Throws AppError `net.tls-invalid` when a PEM text is unusable or a key does not belong to its certificate. */
  constructor(options: TlsOptions) {
    this.#loaded = load(options)
  }

  /** What connections have from now on; throws as the constructor does, and then everything stays as it was. */
  replace(options: TlsOptions): void {
    this.#loaded = load(options)
  }

  /** For a connection that we open; undefined for a name that is not there. */
  clientSide(name: string | undefined): TlsClientSide | undefined {
    return name === undefined ? this.#loaded.own : this.#loaded.named.get(name)
  }

  /** For a connection that a client opens without telling whom it wants. */
  get serverSettings(): SecureContextOptions {
    return secureSettings(this.#loaded.options)
  }

  /** For a client that wants this name (RFC 6066 section 3): the certificate that proves it, else undefined. */
  serverSide(serverName: string): SecureContext | undefined {
    return this.#loaded.served.find(({ names }) => provesIdentity({ subjectaltname: names }, serverName))?.context
  }
}

function load(options: TlsOptions): Loaded {
  checkTls(options)
  const identities = [...(options.identities ?? [])]
  return {
    options,
    own: clientSide(options),
    named: new Map(identities.map(([name, identity]) => [name, clientSide(identity)])),
    // Clients are judged by the transport's own authorities whatever name they ask for: they could choose else.
    served: identities.map(([, { cert, key }]) => serverSide({ cert, key, ...authoritiesOf(options) })),
  }
}

function clientSide(identity: TlsIdentity): TlsClientSide {
  return { context: secureContext(identity), allowWildcard: identity.allowWildcard === true }
}

function serverSide(identity: TlsIdentity): ServerSide {
  return { names: new X509Certificate(identity.cert).subjectAltName ?? '', context: secureContext(identity) }
}

function authoritiesOf({ ca }: TlsOptions): { readonly ca?: string } {
  return ca === undefined ? {} : { ca }
}
