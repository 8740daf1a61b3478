// A sign-in service (OpenID provider) on loopback that says of people what a test wants, and goes away and comes back on its port.

import type { TestContext } from 'node:test'
import {
  type MutableRedirectUri,
  type MutableResponse,
  type MutableToken,
  OAuth2Server,
  type TokenRequestIncomingMessage,
} from 'oauth2-mock-server'

const HOST = '127.0.0.1'

/** The service. */
export interface SignInService {
  readonly issuer: string
  /** Claims of the ID tokens from now on, over those that fit. */
  claims: Readonly<Record<string, unknown>>
  /** What userinfo says beside the subject. */
  userinfo: Readonly<Record<string, unknown>>
  /** Parameters of the way back from now on, over those that fit; null leaves one out. */
  answer: Readonly<Record<string, string | null>>
  /** How the program last said who it is, when it redeemed a code: the header Authorization. */
  authorization: string | undefined
  /** The next ID token is changed after it was signed. */
  forge(): void
  stop(): Promise<void>
  start(): Promise<void>
}

/** Starts it for the time of a test; `isDown`: its port is known, and nothing answers there yet. */
export async function openSignInService(t: TestContext, { isDown = false } = {}): Promise<SignInService> {
  const server = new OAuth2Server()
  await server.issuer.keys.generate('RS256')
  await server.start(0, HOST)
  const { port } = server.address()
  const own: SignInService = {
    issuer: `http://${HOST}:${port}`,
    claims: {},
    userinfo: {},
    answer: {},
    authorization: undefined,
    forge: () =>
      void server.service.once('beforeResponse', ({ body }: MutableResponse) => {
        if (body === '') return
        const [head, claims, signature = ''] = String(body['id_token']).split('.')
        body['id_token'] = [head, claims, signature.split('').reverse().join('')].join('.')
      }),
    stop: () => server.stop(),
    start: async () => {
      server.issuer.url = own.issuer
      await server.start(port, HOST)
    },
  }
  server.issuer.url = own.issuer
  server.service.on('beforeTokenSigning', ({ payload }: MutableToken) => {
    if (payload['aud'] !== undefined) Object.assign(payload, own.claims)
  })
  server.service.on('beforeResponse', (_response: MutableResponse, { headers }: TokenRequestIncomingMessage) => {
    own.authorization = headers.authorization
  })
  server.service.on('beforeUserinfo', ({ body }: MutableResponse) => void Object.assign(body, own.userinfo))
  server.service.on('beforeAuthorizeRedirect', ({ url }: MutableRedirectUri) => {
    for (const [name, value] of Object.entries(own.answer)) {
      if (value === null) url.searchParams.delete(name)
      else url.searchParams.set(name, value)
    }
  })
  if (isDown) await server.stop()
  t.after(async () => {
    if (server.listening) await server.stop()
  })
  return own
}
