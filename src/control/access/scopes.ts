// What may be allowed: one scope for each kind of thing that the HTTP API shows or does.

/** Each scope and what it allows, for OpenAPI, the command line and the reference page. */
export const scopes = {
  'calls:read': 'see calls under way and their recordings',
  'calls:control': 'start, pause, resume and stop recordings; add and remove parties',
  'calls:listen': 'hear calls while they last',
  'recordings:read': 'find recordings and see what is known of them',
  'recordings:play': 'hear, download and export recordings',
  'recordings:decrypt': 'take encrypted recordings away in clear, many at once',
  'recordings:write': 'tag recordings and put them on legal hold',
  'recordings:delete': 'delete recordings',
  'recorders:read': 'see recorders and how they are',
  'recorders:test': 'place test calls at recorders',
  'captures:read':
    'see the messages of calls and of refused invitations, and the evidence of recording sessions that failed',
  'flows:read': 'see flows and try what they would do',
  'events:read': 'be told of every event',
  'webhooks:read': 'see webhooks and what could not be delivered',
  'webhooks:write': 'have events delivered again',
  'audit:read': 'see who did what',
  'metrics:read': 'read the metrics',
  admin: 'everything, tokens and accounts included',
} as const satisfies Readonly<Record<string, string>>

/** The name of a scope. */
export type Scope = keyof typeof scopes

/** Every scope. */
export const scopeNames = Object.keys(scopes) as readonly Scope[]

const viewer: readonly Scope[] = ['calls:read', 'recordings:read', 'recorders:read', 'flows:read', 'events:read']
const supervisor: readonly Scope[] = [
  ...viewer,
  'calls:control',
  'calls:listen',
  'recordings:play',
  'recordings:write',
  'recorders:test',
  'captures:read',
  'webhooks:read',
  'metrics:read',
]

/** The roles of accounts: each a set of scopes. */
export const roles = {
  viewer,
  agent: [...viewer, 'calls:control'],
  supervisor,
  compliance: [
    ...viewer,
    'recordings:play',
    'recordings:decrypt',
    'recordings:write',
    'recordings:delete',
    'captures:read',
    'audit:read',
  ],
  admin: scopeNames,
} as const satisfies Readonly<Record<string, readonly Scope[]>>

/** The name of a role. */
export type Role = keyof typeof roles

/** Every role, the least first. */
export const roleNames = Object.keys(roles) as readonly Role[]

/** Whether these scopes allow what asks for `wanted`. */
export function allows(given: readonly Scope[], wanted: Scope): boolean {
  return given.includes(wanted) || given.includes('admin')
}
