// Signing in; stands in the place of any view while nobody is signed in, so that the reader is back there afterwards.

import { useState } from 'preact/hooks'
import { Trouble } from '../components/trouble.tsx'
import { isSessionOver, readAbilities, reader, signIn } from '../data/abilities.ts'
import { reconnect } from '../data/event-link.ts'
import { ApiError } from '../data/http.ts'
import { linkTo, place } from '../router.ts'

/** The page. */
export function SignInView() {
  const ways = reader.value?.signIn ?? []
  return (
    <section class="sign-in card">
      <h1>Sign in</h1>
      {isSessionOver.value && <p role="status">Your session has ended. Sign in again to go on where you were.</p>}
      {ways.includes('oidc') && (
        <p>
          <a class="button" href={serviceAddress()}>
            {reader.value?.oidcLabel}
          </a>
        </p>
      )}
      {ways.length > 1 && <p>or by an account of this program:</p>}
      {ways.includes('password') && <PasswordForm />}
      {ways.length === 0 && (
        <p>
          Nobody can sign in here by a browser. Add an account under <code>http.accounts</code>, or a sign-in service as{' '}
          <code>http.oidc</code>, in the configuration; <code>siprec-gateway hash-password</code> makes its{' '}
          <code>passwordHash</code>.
        </p>
      )}
    </section>
  )
}

/** The way to the sign-in service, which leads back to where the reader is. */
function serviceAddress(): string {
  const { path, query } = place.value
  const here = linkTo(path, Object.fromEntries(query)).slice(1)
  return `/api/session/oidc?${new URLSearchParams({ place: here })}`
}

function PasswordForm() {
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError>()
  const submit = async (): Promise<void> => {
    setBusy(true)
    setError(undefined)
    try {
      await signIn(name, password)
      await readAbilities()
      reconnect()
    } catch (cause) {
      setError(shown(cause))
      setPassword('')
      setBusy(false)
    }
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        void submit()
      }}
    >
      <Trouble error={error} />
      <label>
        Name
        <input
          name="username"
          autocomplete="username"
          required
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <label>
        Password
        <input
          name="password"
          type="password"
          autocomplete="current-password"
          required
          value={password}
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="primary" disabled={isBusy}>
        {isBusy ? 'Signing in…' : 'Sign in'}
      </button>
    </form>
  )
}

function shown(cause: unknown): ApiError {
  if (!(cause instanceof ApiError)) return new ApiError(0, 'fault', String(cause))
  if (cause.code === 'sign-in-failed') {
    return new ApiError(401, cause.code, 'Name and password do not go together. Is Caps Lock on?')
  }
  if (cause.status === 429) return new ApiError(429, cause.code, 'Too many attempts. Wait a minute and try again.')
  return cause
}
