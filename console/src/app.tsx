// The shell: navigation, theme, and the view that the address names.

import { LinkBanner } from './components/link-banner.tsx'
import { Nothing } from './components/trouble.tsx'
import { nextTheme, theme } from './data/theme.ts'
import { PlayerPlace } from './player/place.tsx'
import { linkTo, place } from './router.ts'
import { views } from './views/registry.ts'

/** The whole console. */
export function App() {
  const [name = 'live', ...rest] = place.value.path
  const view = views.find((one) => one.name === name)
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={() => document.getElementById('content')?.focus()}>
        Skip to the content
      </button>
      <header class="bar">
        <strong class="brand">siprec-gateway</strong>
        <nav aria-label="Views">
          <ul>
            {views
              .filter((one) => one.title !== undefined)
              .map((one) => (
                <li key={one.name}>
                  <a href={linkTo([one.name])} aria-current={one.name === name ? 'page' : undefined}>
                    {one.title}
                  </a>
                </li>
              ))}
          </ul>
        </nav>
        <button type="button" class="quiet" onClick={nextTheme}>
          Theme: {theme.value}
        </button>
      </header>
      <LinkBanner />
      <main id="content" tabIndex={-1}>
        {view === undefined ? (
          <Nothing title="There is no such page">
            <p>
              <a href={linkTo(['live'])}>Go to the calls of this moment</a>
            </p>
          </Nothing>
        ) : (
          <view.View path={rest} query={place.value.query} />
        )}
      </main>
      <PlayerPlace />
    </div>
  )
}
