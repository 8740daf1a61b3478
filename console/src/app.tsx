// The shell: navigation, theme, who is signed in, and the view that the address names.

import { useEffect, useState } from 'preact/hooks'
import { AccountMenu } from './components/account-menu.tsx'
import { LinkBanner } from './components/link-banner.tsx'
import { Nothing } from './components/trouble.tsx'
import { isSignedOut, may, offers, readAbilities } from './data/abilities.ts'
import { get } from './data/http.ts'
import { nextTheme, theme } from './data/theme.ts'
import { PlayerPlace } from './player/place.tsx'
import { linkTo, place } from './router.ts'
import { type View, views } from './views/registry.ts'
import { SignInView } from './views/sign-in.tsx'

/** The whole console. */
export function App() {
  const [isReady, setReady] = useState(false)
  useEffect(() => {
    // Without an answer the views say by themselves that there is none.
    void readAbilities()
      .catch(() => {})
      .then(() => setReady(true))
  }, [])
  useEffect(() => {
    if (isReady && !isSignedOut.value) void leadToFirstCall()
  }, [isReady, isSignedOut.value])
  const shown = views.filter((one) => one.title !== undefined && isThere(one) && isAllowed(one))
  const [name = shown[0]?.name, ...rest] = place.value.path
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={() => document.getElementById('content')?.focus()}>
        Skip to the content
      </button>
      <header class="bar">
        <strong class="brand">siprec-gateway</strong>
        <nav aria-label="Views">
          {isReady && !isSignedOut.value && (
            <ul>
              {shown.map((one) => (
                <li key={one.name}>
                  <a href={linkTo([one.name])} aria-current={one.name === name ? 'page' : undefined}>
                    {one.title}
                  </a>
                </li>
              ))}
            </ul>
          )}
        </nav>
        <AccountMenu />
        <button type="button" class="quiet" onClick={nextTheme}>
          Theme: {theme.value}
        </button>
      </header>
      {!isSignedOut.value && <LinkBanner />}
      <main id="content" tabIndex={-1}>
        {isReady && (isSignedOut.value ? <SignInView /> : <Content name={name} path={rest} />)}
      </main>
      <PlayerPlace />
    </div>
  )
}

function Content({ name, path }: { name: string | undefined; path: readonly string[] }) {
  const view = views.find((one) => one.name === name)
  if (view === undefined) return <Elsewhere title="There is no such page" />
  if (!isThere(view)) return <Elsewhere title="This program does not do that: its configuration has no such role" />
  if (!isAllowed(view)) return <Elsewhere title={`Your account may not see this: it needs the scope ${view.scope}`} />
  return <view.View path={path} query={place.value.query} />
}

/** Where nothing was recorded yet, the start page is that of the first call. */
async function leadToFirstCall(): Promise<void> {
  const isWanted = offers('/api/test-calls') && offers('/api/recordings') && may('calls:control')
  if (!isWanted || place.value.path.length > 0) return
  try {
    const { total } = await get<{ total: number }>('/api/recordings?limit=1')
    if (total === 0 && place.value.path.length === 0) location.replace(linkTo(['first']))
  } catch {
    // The start page says by itself that the program does not answer.
  }
}

function Elsewhere({ title }: { title: string }) {
  return (
    <Nothing title={title} isPage>
      <p>
        <a href="#/">Go to the first page</a>
      </p>
    </Nothing>
  )
}

function isThere({ offered }: View): boolean {
  return offered?.some(offers) ?? true
}

function isAllowed({ scope }: View): boolean {
  return scope === undefined || may(scope)
}
