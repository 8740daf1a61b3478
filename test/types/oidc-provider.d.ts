// The part of oidc-provider that the tests use.

declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  interface Client {
    readonly client_id: string
    readonly client_secret?: string
    readonly token_endpoint_auth_method: 'client_secret_basic' | 'client_secret_post' | 'none'
    readonly redirect_uris: readonly string[]
    readonly post_logout_redirect_uris: readonly string[]
  }
  interface Account {
    readonly accountId: string
    claims(): Promise<Readonly<Record<string, unknown>>>
  }
  interface Configuration {
    readonly clients: readonly Client[]
    readonly claims: Readonly<Record<string, readonly string[]>>
    readonly findAccount: (context: unknown, id: string) => Promise<Account>
    readonly cookies: { readonly keys: readonly string[] }
  }
  export default class Provider {
    constructor(issuer: string, configuration: Configuration)
    callback(): (request: IncomingMessage, response: ServerResponse) => void
  }
}
