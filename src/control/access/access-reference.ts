// The reference page of access, made from the scopes and roles.

import { type Role, roleNames, roles, type Scope, scopes } from './scopes.ts'

/** Markdown of `docs/reference/access.md`. */
export function accessReference(): string {
  const header = ['scope', 'allows to', ...roleNames]
  const rows = Object.entries(scopes).map(([scope, allows]) => [
    `\`${scope}\``,
    allows,
    ...roleNames.map((role) => (has(role, scope as Scope) ? 'yes' : '')),
  ])
  return `${[
    '# Access to the HTTP API',
    '',
    'This page is made from the scopes and roles of the program.',
    '',
    'On a loopback address, without accounts and without a sign-in service, nobody has to sign in, and the API answers to loopback names only. On any other address, or with',
    'accounts, whoever asks has to be known: by a token (`Authorization: Bearer …`) or by the cookie that `POST /api/session` sets. If nobody could',
    'sign in on such an address, the first start makes the account `admin` and prints its password, once.',
    '',
    'Requests that change something and come with a cookie need the header `X-Requested-By`; pages from elsewhere (`Origin`) are refused.',
    '`/healthz`, `/readyz`, `/api/session` with the way to a sign-in service below it, and `/api/openapi.json` are open to everybody; `/metrics` needs `metrics:read`.',
    '',
    '## Scopes and roles',
    '',
    'Tokens have scopes; accounts have a role, which is a set of scopes. `admin` includes every other scope.',
    '',
    `| ${header.join(' | ')} |`,
    `|${header.map(() => '---').join('|')}|`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    '',
    '## Tokens',
    '',
    '    siprec-gateway token create --name prometheus --scopes metrics:read --days 365',
    '    siprec-gateway token list',
    '    siprec-gateway token revoke 3fa94c01',
    '',
    'or `POST /api/tokens`, `GET /api/tokens`, `DELETE /api/tokens/{tokenId}`. A token is shown once; only its hash is kept. A running server',
    'takes what the command line changes from the next request on.',
    '',
    '## Accounts',
    '',
    '    echo "a long password" | siprec-gateway hash-password',
    '',
    'gives `passwordHash` of an entry of `http.accounts`. Accounts of an OpenID provider: [sign-in.md](../sign-in.md).',
    '',
  ].join('\n')}`
}

function has(role: Role, scope: Scope): boolean {
  return (roles[role] as readonly Scope[]).includes(scope)
}
