// What this program offers and what the reader may do, read once and again after each reconnection.

import { computed, signal } from '@preact/signals'
import type { SessionView } from '../../../src/control/access/access-contract.ts'
import type { Scope } from '../../../src/control/access/scopes.ts'
import { get } from './http.ts'

const session = signal<SessionView | undefined>(undefined)
const paths = signal<ReadonlySet<string>>(new Set())

/** Whether nobody is signed in where somebody has to be. */
export const isSignedOut = computed(() => session.value?.kind === 'none')

/** Reads both anew; rejects with an ApiError when the program does not answer. */
export async function readAbilities(): Promise<void> {
  session.value = await get<SessionView>('/api/session')
  if (paths.value.size > 0 || session.value.kind === 'none') return
  const { paths: offered } = await get<{ paths: Record<string, unknown> }>('/api/openapi.json')
  paths.value = new Set(Object.keys(offered))
}

/** Whether the reader may do what asks for `scope`; yes as long as it is not known. */
export function may(scope: Scope): boolean {
  const scopes = session.value?.scopes
  return scopes === undefined || scopes.includes(scope) || scopes.includes('admin')
}

/** Whether the program has this path of the API, as OpenAPI writes it: `/api/calls/{callId}`. */
export function offers(path: string): boolean {
  return paths.value.has(path)
}
