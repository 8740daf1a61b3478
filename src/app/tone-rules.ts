// Which tone or announcement a party hears while it is recorded: by its number or domain, first rule first.

import type { ToneRules } from '#call'
import { parseSipUri } from '#sip'
import type { GatewayConfig } from './config-schema.ts'

/** Rules of a configuration. */
export function toneRules({ tone, announcement, rules, exempt }: GatewayConfig['awareness']): ToneRules {
  return (aor) => {
    const rule = rules.find(({ match }) => matches(match, aor))
    const reason = rule?.exempt ?? (rule === undefined ? exempt : undefined)
    if (reason !== undefined) return { exempt: reason }
    const { frequencyHz, onMs, everyMs, levelDbm0 } = { ...tone, ...rule }
    const sound = { frequencyHz, onMs, everyMs, levelDbm0 }
    const told = rule?.announcement ?? (rule === undefined ? announcement : undefined)
    return told === undefined ? sound : { announcement: told, tone: sound }
  }
}

function matches(match: string, aor: string): boolean {
  const parsed = parseSipUri(aor)
  if (!parsed.ok) return false
  const { user = '', host } = parsed.value
  if (match.startsWith('.')) return `.${host.toLowerCase()}`.endsWith(match.toLowerCase())
  return host.toLowerCase() === match.toLowerCase() || user.startsWith(match)
}
