// A certified OpenID provider (oidc-provider) on loopback, with its own pages for signing in, and a browser without scripts that fills them in.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import Provider from 'oidc-provider'

const HOST = '127.0.0.1'
const MOST_HOPS = 20

/** How the program says who it is. */
export interface ClientTerms {
  readonly clientId: string
  readonly secret?: string
  readonly method: 'client_secret_basic' | 'client_secret_post' | 'none'
}

/** The provider; nobody answers for it before `serve`. */
export interface CertifiedProvider {
  readonly issuer: string
  /** Begins to serve the program at an address; `people` are claims by account. */
  serve(program: string, client: ClientTerms, people: Readonly<Record<string, object>>): void
}

/** Opens its port for the time of a test. */
export async function openCertifiedProvider(t: TestContext): Promise<CertifiedProvider> {
  const server = createServer()
  server.listen(0, HOST)
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const issuer = `http://${HOST}:${(server.address() as AddressInfo).port}`
  return {
    issuer,
    serve: (program, { clientId, secret, method }, people) => {
      const provider = quietly(
        () =>
          new Provider(issuer, {
            clients: [
              {
                client_id: clientId,
                ...(secret === undefined ? {} : { client_secret: secret }),
                token_endpoint_auth_method: method,
                redirect_uris: [`${program}/api/session/oidc/callback`],
                post_logout_redirect_uris: [`${program}/`],
              },
            ],
            claims: { openid: ['sub'], profile: ['preferred_username', 'groups'], email: ['email', 'email_verified'] },
            findAccount: async (_context, id) => ({
              accountId: id,
              claims: async () => ({ sub: id, ...people[id] }),
            }),
            cookies: { keys: ['of this test'] },
          }),
      )
      server.on('request', provider.callback())
    },
  }
}

/** It warns on the console that its keys are for development, which is what they are for here. */
function quietly<T>(make: () => T): T {
  const { info, warn } = console
  Object.assign(console, { info: () => {}, warn: () => {} })
  try {
    return make()
  } finally {
    Object.assign(console, { info, warn })
  }
}

/** A browser: cookies by host and name, redirects one by one, and what is typed into the provider's forms. */
export class Browser {
  readonly #cookies = new Map<string, string>()

  /** One request; cookies are kept. */
  async ask(url: string, form?: Readonly<Record<string, string>>): Promise<Response> {
    const { host } = new URL(url)
    const cookie = this.#cookieOf(host)
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie },
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      const isGone = value === '' || /max-age=0|expires=thu, 01 jan 1970/i.test(line)
      if (isGone) this.#cookies.delete(`${host} ${name}`)
      else this.#cookies.set(`${host} ${name}`, value)
    }
    return response
  }

  /** Signs out of the program: where that goes on. */
  async signOut(program: string): Promise<{ readonly signOutUrl: string }> {
    const { host } = new URL(program)
    const headers = { cookie: this.#cookieOf(host), 'x-requested-by': 'test' }
    const response = await fetch(`${program}/api/session`, { method: 'DELETE', headers })
    return (await response.json()) as { signOutUrl: string }
  }

  #cookieOf(host: string): string {
    const own = [...this.#cookies].filter(([key]) => key.startsWith(`${host} `))
    return own.map(([key, value]) => `${key.slice(host.length + 1)}=${value}`).join('; ')
  }

  /** Follows redirects and fills in forms as `who` until there is neither; what the last page was. */
  async go(
    url: string,
    who: string,
  ): Promise<{ readonly url: string; readonly status: number; readonly text: string }> {
    let at = url
    let response = await this.ask(at)
    for (let hop = 0; hop < MOST_HOPS; hop += 1) {
      const location = response.headers.get('location')
      if (location !== null) {
        at = new URL(location, at).href
        response = await this.ask(at)
        continue
      }
      const text = await response.text()
      const [form = ''] = /<form[^>]*>/.exec(text) ?? []
      const [, action] = / action="([^"]+)"/.exec(form) ?? []
      if (action === undefined) return { url: at, status: response.status, text }
      const inputs = [
        ...text.matchAll(/<input type="hidden"[^>]*>/g),
        ...[...text.matchAll(/<button [^>]*>/g)].slice(0, 1),
      ]
      const fields = Object.fromEntries(inputs.flatMap(([input]) => fieldOf(input)))
      const isAsked = text.includes('name="login"')
      at = new URL(action, at).href
      response = await this.ask(at, { ...fields, ...(isAsked && { login: who, password: 'any' }) })
    }
    assert.fail(`no end after ${MOST_HOPS} hops, at ${at}`)
  }
}

function fieldOf(input: string): [string, string][] {
  const [, name] = / name="([^"]*)"/.exec(input) ?? []
  const [, value = ''] = / value="([^"]*)"/.exec(input) ?? []
  return name === undefined ? [] : [[name, value]]
}
