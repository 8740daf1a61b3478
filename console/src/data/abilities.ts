// What the reader may do, read once and again after each reconnection.

import { computed, signal } from '@preact/signals'
import type { SessionView } from '../../../src/control/access/access-contract.ts'
import type { Scope } from '../../../src/control/access/scopes.ts'
import { get } from './http.ts'

const session = signal<SessionView | undefined>(undefined)

/** Whether nobody is signed in where somebody has to be. */
export const isSignedOut = computed(() => session.value?.kind === 'none')

/** Reads it anew; rejects with an ApiError when the program does not answer. */
export async function readAbilities(): Promise<void> {
  session.value = await get<SessionView>('/api/session')
}

/** Whether the reader may do what asks for `scope`; yes as long as it is not known. */
export function may(scope: Scope): boolean {
  const scopes = session.value?.scopes
  return scopes === undefined || scopes.includes(scope) || scopes.includes('admin')
}
