// In which order recorders of which one is to record are tried, by what is known of their health.

import type { RecorderHealth } from './recorder-health.ts'

/**
 * Those that may be tried, first the ones that are not down, each in the order given. A recorder that asked to be left alone is
 * left out; if all did, the one whose time ends first is tried anyway.
 */
export function orderOf(
  uris: readonly string[],
  healthOf: (uri: string) => Pick<RecorderHealth, 'state' | 'skippedUntilMs'> | undefined,
  nowMs: number,
): string[] {
  const known = uris.map((uri) => {
    const { state = 'unknown', skippedUntilMs = nowMs } = healthOf(uri) ?? {}
    return { uri, isDown: state === 'down', skippedUntilMs }
  })
  const open = known.filter(({ skippedUntilMs }) => skippedUntilMs <= nowMs)
  const chosen =
    open.length > 0
      ? [...open.filter(({ isDown }) => !isDown), ...open.filter(({ isDown }) => isDown)]
      : known.sort((a, b) => a.skippedUntilMs - b.skippedUntilMs).slice(0, 1)
  return chosen.map(({ uri }) => uri)
}
