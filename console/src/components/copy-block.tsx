// A text to take away, with a button that copies it.

import { useRef, useState } from 'preact/hooks'

/** The text as it is; where the browser forbids copying, it is selected instead. */
export function CopyBlock({ title, text }: { title: string; text: string }) {
  const block = useRef<HTMLPreElement>(null)
  const [said, setSaid] = useState('')
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text)
      setSaid('Copied.')
    } catch {
      if (block.current !== null) getSelection()?.selectAllChildren(block.current)
      setSaid('Selected: copy it by the keyboard.')
    }
  }
  return (
    <figure class="copy">
      <figcaption>
        <span>{title}</span>
        <span role="status" class="muted">
          {said}
        </span>
        <button type="button" aria-label={`Copy: ${title}`} onClick={() => void copy()}>
          Copy
        </button>
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long line scrolls, by the keyboard too */}
      <pre ref={block} tabIndex={0}>
        {text}
      </pre>
    </figure>
  )
}
