// Help where something is wrong: the pages of docs for it; their text comes when it is asked for.

import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { ViewProps } from './registry.ts'

/** The page, at the topic that the address names. */
export function HelpView({ path: [topic] }: ViewProps) {
  const [loaded, setLoaded] = useState<{ readonly Page: ComponentType<{ topic: string | undefined }> }>()
  useEffect(() => {
    void import('../help/page.tsx').then(({ default: Page }) => setLoaded({ Page }))
  }, [])
  return (
    <>
      <h1>Help</h1>
      {loaded !== undefined && <loaded.Page topic={topic} />}
    </>
  )
}
