// Where the player stands once something is to be played; its code comes with the first recording.

import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { type Playing, playing } from './playing.ts'

/** The player, or nothing. */
export function PlayerPlace() {
  const wanted = playing.value
  const [loaded, setLoaded] = useState<{ readonly Dock: ComponentType<{ wanted: Playing }> }>()
  const isWanted = wanted !== undefined
  useEffect(() => {
    if (isWanted && loaded === undefined) void import('./dock.tsx').then(({ default: Dock }) => setLoaded({ Dock }))
  }, [isWanted, loaded])
  if (wanted === undefined || loaded === undefined) return null
  return <loaded.Dock wanted={wanted} />
}
