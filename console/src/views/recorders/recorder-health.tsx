// One recorder and how it is.

import type { RecorderView } from '../../../../src/control/contract.ts'
import { HelpLink } from '../../components/help-link.tsx'
import { may, offers } from '../../data/abilities.ts'
import { clockTime, duration, shortAddress } from '../../data/format.ts'
import { now } from '../../data/now.ts'
import { linkTo } from '../../router.ts'

/** SIP statuses from here on are no success. */
const LEAST_FAILURE = 300

const words: Readonly<Record<string, string>> = {
  up: 'answers',
  down: 'does not take recordings',
  unknown: 'not asked yet',
}

/** State, since when, the latest answer, and a way to test it. */
export function RecorderHealth({ recorder }: { recorder: RecorderView }) {
  const { uri, profile, state, since, skippedUntil, latest } = recorder
  const hasFailed =
    state === 'unknown' && latest !== undefined && (latest.status === 0 || latest.status >= LEAST_FAILURE)
  return (
    <article class="card recorder" aria-label={shortAddress(uri)}>
      <header>
        <h2>{shortAddress(uri)}</h2>
        <span class="state" data-health={hasFailed ? 'failing' : state}>
          {hasFailed ? 'latest attempt failed' : (words[state] ?? state)}
        </span>
        {since !== undefined && (
          <span class="muted since" title={since}>
            for {duration(now.value - Date.parse(since))}
          </span>
        )}
      </header>
      <dl class="facts">
        <div>
          <dt>Address</dt>
          <dd>
            <code>{uri}</code>
          </dd>
        </div>
        <div>
          <dt>Profile</dt>
          <dd>{profile}</dd>
        </div>
        <div>
          <dt>Latest answer</dt>
          <dd>
            {latest === undefined
              ? 'none yet'
              : `${latest.status === 0 ? 'none' : latest.status} (${latest.cause}) at ${clockTime(latest.at)}`}
          </dd>
        </div>
        {skippedUntil !== undefined && (
          <div>
            <dt>Left alone until</dt>
            <dd>{clockTime(skippedUntil)}, as it asked</dd>
          </div>
        )}
      </dl>
      {state === 'down' && (
        <p>
          <HelpLink topic="recorder-down" />
        </p>
      )}
      {offers('/api/recorders/test') && may('recorders:test') && (
        <a class="button" href={linkTo(['recorders'], { test: uri })}>
          Test this recorder
        </a>
      )}
    </article>
  )
}
