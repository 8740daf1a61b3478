// What the recorder expects of a client, by the address that it comes from.

import type { ClientPolicy } from '#recording-server'
import type { RecorderConfig } from './config-schema.ts'
import { createSourceList } from './source-list.ts'

/** Makes the policies of a configuration; throws AppError `config.bad-source` for what is no address. */
export function clientPolicies(config: RecorderConfig): (source: string) => ClientPolicy {
  const { strict, plainCalls, tolerate } = config
  const everybody: ClientPolicy = { strict, plainCalls, tolerate }
  const some = config.clients.map(({ sources, ...own }) => ({ list: createSourceList(sources), policy: own }))
  return (source) => {
    const found = some.find(({ list }) => list.has(source))
    if (found === undefined) return everybody
    const { policy } = found
    return {
      strict: policy.strict ?? strict,
      plainCalls: policy.plainCalls ?? plainCalls,
      tolerate: policy.tolerate ?? tolerate,
    }
  }
}
