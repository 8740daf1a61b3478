// One message of the ladder: as it was on the wire, and what changed in its SDP and metadata since the one before.

import { diffOf } from '../../data/diff.ts'
import { clockTime } from '../../data/format.ts'
import type { LadderMessage } from './ladder.tsx'

/** The detail below an arrow. */
export function MessageDetail({ known }: { known: LadderMessage }) {
  const { message, sdp, metadata, sdpBefore, metadataBefore } = known
  const { at, transport, local, remote, direction, text } = message
  return (
    <div class="message">
      <p class="muted">
        {direction} at {clockTime(at)} over {transport}, {local} {direction === 'sent' ? '→' : '←'} {remote}
      </p>
      <Changes what="SDP" before={sdpBefore} after={sdp} />
      <Changes what="metadata" before={metadataBefore} after={metadata} />
      <details open={sdpBefore === undefined && metadataBefore === undefined}>
        <summary>The message, redacted</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reached by keyboard */}
        <pre tabIndex={0}>{text}</pre>
      </details>
    </div>
  )
}

function Changes({ what, before, after }: { what: string; before: string | undefined; after: string | undefined }) {
  if (before === undefined || after === undefined) return null
  const lines = diffOf(before, after)
  if (lines === undefined) return <p class="muted">Its {what} is too long to be compared.</p>
  if (lines.length === 0) return <p class="muted">Its {what} is the same as before.</p>
  return (
    <details open>
      <summary>What changed in the {what}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reached by keyboard */}
      <pre tabIndex={0} class="diff">
        {lines.map(({ mark, text }, index) => (
          <span key={index} data-mark={mark}>
            {mark} {text}
            {'\n'}
          </span>
        ))}
      </pre>
    </details>
  )
}
