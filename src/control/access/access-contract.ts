// Sessions and tokens in types.

import { type Static, Type } from 'typebox'
import { scopeNames } from './scopes.ts'

const closed = { additionalProperties: false }
const scopeList = Type.Array(Type.Enum([...scopeNames]))

/** Name and password. */
export const signInBody = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 128 }), password: Type.String({ minLength: 1, maxLength: 1_024 }) },
  closed,
)

/** Who the caller is. */
export const sessionView = Type.Object(
  {
    kind: Type.Enum(['none', 'open', 'account', 'token'], { description: '`open`: nobody has to sign in here' }),
    name: Type.String(),
    scopes: scopeList,
    /** Ways to sign in here. */
    signIn: Type.Array(Type.Enum(['password', 'oidc'])),
    /** Of the button that leads to the sign-in service. */
    oidcLabel: Type.Optional(Type.String({ description: 'what signing in by `oidc` is called' })),
    expiresAt: Type.Optional(Type.String({ description: 'of a session, if nothing is asked meanwhile' })),
  },
  closed,
)

/** Signing out goes on elsewhere. */
export const signedOut = Type.Object(
  { signOutUrl: Type.String({ description: 'where a browser goes to sign out of the sign-in service too' }) },
  closed,
)

/** A token without its text. */
export const tokenView = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    scopes: scopeList,
    createdAt: Type.String(),
    expiresAt: Type.Optional(Type.String()),
  },
  closed,
)

/** The tokens, oldest first. */
export const tokenList = Type.Object({ total: Type.Integer(), items: Type.Array(tokenView) }, closed)

/** What a token is to be. */
export const tokenBody = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 128 }),
    scopes: Type.Array(Type.Enum([...scopeNames]), { minItems: 1 }),
    expiresInDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_650 })),
  },
  closed,
)

/** A token that was made; its text is not shown again. */
export const tokenMade = Type.Object({ token: Type.String(), ...tokenView.properties }, closed)

/** Path parameter of a token. */
export const tokenParams = Type.Object({ tokenId: Type.String({ pattern: '^[0-9a-f]{1,32}$' }) }, closed)

/** See `signedOut`. */
export type SignedOut = Static<typeof signedOut>
/** See `sessionView`. */
export type SessionView = Static<typeof sessionView>
