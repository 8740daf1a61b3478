// Who is signed in, and the way out.

import { useState } from 'preact/hooks'
import { reader, signOut } from '../data/abilities.ts'

/** Name and sign-out; nothing where nobody has to sign in. */
export function AccountMenu() {
  const [trouble, setTrouble] = useState('')
  const who = reader.value
  if (who?.kind !== 'account') return null
  const leave = (): void => {
    signOut().then(
      () => setTrouble(''),
      (cause: unknown) => setTrouble(cause instanceof Error ? cause.message : String(cause)),
    )
  }
  return (
    <div class="account">
      <span title={`May: ${who.scopes.join(', ')}`}>{who.name}</span>
      <button type="button" class="quiet" onClick={leave}>
        Sign out
      </button>
      {trouble !== '' && <span role="alert">{trouble}</span>}
    </div>
  )
}
