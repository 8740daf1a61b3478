// Which tone a party hears while it is recorded: by its number or domain, first rule first.

import type { ToneRules } from '#call'
import { parseSipUri } from '#sip'
import type { GatewayConfig } from './config-schema.ts'

/** Rules of a configuration. */
export function toneRules({ tone, rules, exempt }: GatewayConfig['awareness']): ToneRules {
  return (aor) => {
    const rule = rules.find(({ match }) => matches(match, aor))
    const reason = rule?.exempt ?? (rule === undefined ? exempt : undefined)
    if (reason !== undefined) return { exempt: reason }
    const { frequencyHz, onMs, everyMs, levelDbm0 } = { ...tone, ...rule }
    return { frequencyHz, onMs, everyMs, levelDbm0 }
  }
}

function matches(match: string, aor: string): boolean {
  const parsed = parseSipUri(aor)
  if (!parsed.ok) return false
  const { user = '', host } = parsed.value
  if (match.startsWith('.')) return `.${host.toLowerCase()}`.endsWith(match.toLowerCase())
  return host.toLowerCase() === match.toLowerCase() || user.startsWith(match)
}
