// Configuration of quotas: accounts and the trunks whose calls are theirs.

import { Type } from 'typebox'
import { text } from './config-leaf.ts'
import { sources } from './config-network.ts'

const MOST_CALLS = 100_000
const closed = { additionalProperties: false }

const activeCalls = (minimum: number, description: string) =>
  Type.Integer({ minimum, maximum: MOST_CALLS, description })

/** Accounts and their limits. */
export const accounts = Type.Array(
  Type.Object(
    {
      name: text({ description: 'Name of the account, as in X-Account-Sid.' }),
      activeCalls: activeCalls(0, 'Calls of the account at a time; with 0 it has no subscription.'),
    },
    closed,
  ),
  { maxItems: 10_000, default: [], description: 'Accounts and how many calls each may have at a time.' },
)

/** Trunks, whose calls are counted together. */
export const trunks = Type.Array(
  Type.Object(
    {
      name: text({ description: 'Name of the trunk in logs.' }),
      sources: sources("Addresses and networks that the trunk's calls come from."),
      account: Type.Optional(text({ description: 'Account that the calls count for.' })),
      accountHeader: Type.Optional(
        text({
          description:
            'Header by which the trunk names the account of a call, such as X-Account-Sid; names that are not listed are ignored.',
        }),
      ),
      activeCalls: Type.Optional(activeCalls(1, 'Calls of the trunk at a time; no limit of its own when left out.')),
    },
    closed,
  ),
  {
    maxItems: 1000,
    default: [],
    description: 'Trunks by the addresses that their calls come from; the first that matches holds.',
  },
)
