// When a recording counts as made, and what happens when it does not (RFC 6341 use case 10, row SRC-61).

import { err, ok, type Result } from '#kernel'

/** Which recorders must have taken the recording. A recorder is named by its URI or by its profile. */
export type Success =
  | { readonly kind: 'any' | 'all' }
  | { readonly kind: 'quorum'; readonly count: number }
  | { readonly kind: 'mandatory'; readonly names: readonly string[] }

/** What is done about a recording that is not made: only `announce`, `refuse` and `end` are felt by the call. */
export type UnmetAction = 'continue' | 'announce' | 'retry' | 'refuse' | 'end'

/** Policy of one recording. */
export interface SuccessPolicy {
  readonly success: Success
  readonly unmet: UnmetAction
}

/** One entry of the parallel list, as the policy sees it: who may take it, and whether somebody has. */
export interface SlotStanding {
  /** URIs and profile names of its recorder and of those that may take its place. */
  readonly names: readonly string[]
  /** `held`: carried, and paused by a command of its own; `open`: it may yet be carried; `gone`: it will not. */
  readonly standing: 'carried' | 'held' | 'open' | 'gone'
}

/** Whether the call may be ended or refused for want of a recorder: then nothing but a recorder will do. */
export function isMandatory({ unmet }: SuccessPolicy): boolean {
  return unmet === 'refuse' || unmet === 'end'
}

/** `open`: not met, but it may be. */
export type PolicyVerdict = 'met' | 'open' | 'unmet'

/** One recorder is enough, and the call goes on without any. */
export const defaultPolicy: SuccessPolicy = { success: { kind: 'any' }, unmet: 'continue' }

const actions: readonly UnmetAction[] = ['continue', 'announce', 'retry', 'refuse', 'end']
/** How a policy is written. */
export const policyForm =
  'any, all, quorum:N or mandatory:NAME,NAME, and after it, if wanted: else continue, announce, retry, refuse or end'

/** Reads a policy as it is written in configuration, flows and requests, e.g. `mandatory:sip:archive.example else end`. */
export function parsePolicy(text: string): Result<SuccessPolicy, string> {
  const [success = '', word = 'else', action = 'continue', ...rest] = text.trim().split(/\s+/)
  const unmet = actions.find((known) => known === action)
  const read = parseSuccess(success)
  if (read === undefined || unmet === undefined || word !== 'else' || rest.length > 0) {
    return err(`a policy is ${policyForm}`)
  }
  return ok({ success: read, unmet })
}

function parseSuccess(text: string): Success | undefined {
  if (text === 'any' || text === 'all') return { kind: text }
  if (/^quorum:[1-9]\d?$/.test(text)) return { kind: 'quorum', count: Number(text.slice('quorum:'.length)) }
  if (!text.startsWith('mandatory:')) return undefined
  const names = text
    .slice('mandatory:'.length)
    .split(',')
    .filter((name) => name !== '')
  return names.length === 0 ? undefined : { kind: 'mandatory', names }
}

/** Judges the recorders of a recording at this moment. */
export function judge(success: Success, slots: readonly SlotStanding[]): PolicyVerdict {
  switch (success.kind) {
    case 'any':
      return reached(slots, 1)
    case 'all':
      return reached(slots, slots.length)
    case 'quorum':
      return reached(slots, success.count)
    case 'mandatory': {
      const verdicts = success.names.map((name) =>
        reached(
          slots.filter((slot) => slot.names.includes(name)),
          1,
        ),
      )
      if (verdicts.includes('unmet')) return 'unmet'
      return verdicts.includes('open') ? 'open' : 'met'
    }
  }
}

function reached(slots: readonly SlotStanding[], wanted: number): PolicyVerdict {
  const count = (standing: SlotStanding['standing']): number =>
    slots.filter((slot) => slot.standing === standing).length
  // Who is paused as commanded is not missed, unless nobody records since those that should are lost.
  const isHeldEnough = count('carried') > 0 || count('held') === slots.length
  const carried = count('carried') + (isHeldEnough ? count('held') : 0)
  if (carried >= wanted) return 'met'
  return count('carried') + count('held') + count('open') >= wanted ? 'open' : 'unmet'
}
