// Says that what the page shows may be old, why, and that it recovers by itself.

import { type LinkState, linkState, reconnect } from '../data/event-link.ts'

const words: Readonly<Record<LinkState, string | undefined>> = {
  connecting: undefined,
  live: undefined,
  polling: 'The stream of events is interrupted. The page asks every two seconds instead and reconnects by itself.',
  lost: 'The program does not answer: it may be restarting, or the network is down. What you see is old. The page reconnects by itself.',
  'signed-out': undefined,
}

/** The banner; nothing while all is well. */
export function LinkBanner() {
  const state = linkState.value
  const text = words[state]
  return (
    <div role="status" class={text === undefined ? undefined : 'banner'} data-link={state}>
      {text !== undefined && <p>{text}</p>}
      {state === 'lost' && (
        <button type="button" onClick={reconnect}>
          Try now
        </button>
      )}
    </div>
  )
}
