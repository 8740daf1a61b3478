// What the reader may do and what the program offers, read once and again after each reconnection.

import { computed, signal } from '@preact/signals'
import type { SessionView, SignedOut } from '../../../src/control/access/access-contract.ts'
import type { Scope } from '../../../src/control/access/scopes.ts'
import { get, post, remove } from './http.ts'

const session = signal<SessionView | undefined>(undefined)
const paths = signal<ReadonlySet<string> | undefined>(undefined)
const hadSession = signal(false)

/** Who the reader is; undefined until it is known. */
export const reader = computed(() => session.value)
/** Whether nobody is signed in where somebody has to be. */
export const isSignedOut = computed(() => session.value?.kind === 'none')
/** Whether somebody was signed in here before. */
export const isSessionOver = computed(() => isSignedOut.value && hadSession.value)

/** Reads it anew; rejects with an ApiError when the program does not answer. */
export async function readAbilities(): Promise<void> {
  const [who, document] = await Promise.all([
    get<SessionView>('/api/session'),
    get<{ paths: Readonly<Record<string, unknown>> }>('/api/openapi.json'),
  ])
  take(who)
  paths.value = new Set(Object.keys(document.paths))
}

/** Signs in; rejects with an ApiError that says why not. */
export async function signIn(name: string, password: string): Promise<void> {
  take(await post<SessionView>('/api/session', { name, password }))
}

/** Signs out, here and where the session came from, and forgets who the reader was. */
export async function signOut(): Promise<void> {
  const left = await remove<SignedOut | undefined>('/api/session')
  hadSession.value = false
  if (left !== undefined) return location.assign(left.signOutUrl)
  session.value = await get<SessionView>('/api/session')
}

/** Whether the reader may do what asks for `scope`; yes as long as it is not known. */
export function may(scope: Scope): boolean {
  const scopes = session.value?.scopes
  return scopes === undefined || scopes.includes(scope) || scopes.includes('admin')
}

/** Whether the program has `path`, written as in its OpenAPI document; yes as long as it is not known. */
export function offers(path: string): boolean {
  return paths.value?.has(path) ?? true
}

function take(who: SessionView): void {
  session.value = who
  if (who.kind === 'account') hadSession.value = true
}

// A request was refused because nobody is signed in: the session ended meanwhile.
addEventListener('not-signed-in', () => {
  const known = session.value
  if (known !== undefined && known.kind !== 'none') session.value = { ...known, kind: 'none', scopes: [] }
})
