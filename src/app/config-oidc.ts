// Configuration of sign-in by an OpenID provider.

import { Type } from 'typebox'
import { roleNames } from '#control'
import { integer, role, text } from './config-leaf.ts'

const groupRole = Type.Object(
  {
    group: text({ description: 'A group, as the provider names it.' }),
    role: Type.Enum([...roleNames], { description: 'What its members may do: see docs/reference/access.md.' }),
  },
  { additionalProperties: false },
)

/** The section `http.oidc`. */
export const oidc = role('Sign-in by an OpenID provider, beside the accounts: see docs/sign-in.md.', {
  issuer: text({
    pattern: '^https?://',
    expects: 'an https URL, or an http URL on loopback',
    description: 'URL of the provider, below which /.well-known/openid-configuration is; http on loopback only.',
  }),
  clientId: text({ description: 'What the provider calls this program.' }),
  secretVariable: Type.Optional(
    text({ description: 'Name of the environment variable that holds the secret of the client.' }),
  ),
  secretFile: Type.Optional(
    text({ description: 'File with that secret in its first line; without either this is a public client.' }),
  ),
  redirectBase: Type.Optional(
    text({
      pattern: '^https?://[^/?#]+$',
      expects: 'an origin such as https://rec.example.com',
      description:
        'Origin that the provider sends people back to; /api/session/oidc/callback below it is to be known to the provider. That of the request when left out.',
    }),
  ),
  scopes: Type.Array(text({ pattern: '^[!-~]+$', expects: 'a scope such as openid' }), {
    maxItems: 32,
    default: ['openid', 'profile', 'email'],
    description: 'Scopes that are asked for; openid is always one.',
  }),
  label: text({ default: 'Sign in with your organisation', description: 'What the button of the console says.' }),
  nameClaim: text({ default: 'preferred_username', description: 'Claim with the name that the audit log shows.' }),
  groupsClaim: text({
    default: 'groups',
    description: 'Claim with the groups, by its name or as a path such as realm_access.roles.',
  }),
  roles: Type.Array(groupRole, {
    maxItems: 1_000,
    default: [],
    description: 'The role of each group; who is in several may do what any of them allows.',
  }),
  defaultRole: Type.Enum(['none', ...roleNames], {
    default: 'none',
    description: 'Role of those whose groups have none; none refuses them.',
  }),
  allowedDomains: Type.Array(text({ expects: 'a domain such as example.com' }), {
    maxItems: 1_000,
    default: [],
    description: 'Domains of e-mail addresses that the provider has verified; any when empty.',
  }),
  allowedGroups: Type.Array(text({}), {
    maxItems: 1_000,
    default: [],
    description: 'Groups of which one is needed to come in; any when empty.',
  }),
  timeoutMs: integer('Milliseconds that the provider has to answer.', 10_000, 100, 60_000),
})
