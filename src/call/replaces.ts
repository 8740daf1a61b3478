// The Replaces header (RFC 3891 section 6.1): which dialog a new one takes the place of.

import type { InviteDialog } from '#sip'

/** A dialog as its reader knows it: `toTag` is the reader's own. */
export interface ReplacedDialog {
  readonly callId: string
  readonly toTag: string
  readonly fromTag: string
  /** Only a dialog that is not answered yet may be replaced. */
  readonly isEarlyOnly: boolean
}

const MAX_LENGTH = 512

/** Reads a value; undefined unless it has a Call-ID and both tags, each once. */
export function parseReplaces(value: string): ReplacedDialog | undefined {
  if (value.length > MAX_LENGTH) return undefined
  const [callId = '', ...parameters] = value.split(';').map((part) => part.trim())
  const tags = new Map<string, string>()
  for (const parameter of parameters) {
    const equals = parameter.indexOf('=')
    const name = (equals < 0 ? parameter : parameter.slice(0, equals)).trim().toLowerCase()
    if (tags.has(name)) return undefined
    tags.set(name, equals < 0 ? '' : parameter.slice(equals + 1).trim())
  }
  const toTag = tags.get('to-tag') ?? ''
  const fromTag = tags.get('from-tag') ?? ''
  if (callId === '' || toTag === '' || fromTag === '') return undefined
  return { callId, toTag, fromTag, isEarlyOnly: tags.has('early-only') }
}

/** The header value that names a dialog. */
export function replacesText({ callId, toTag, fromTag, isEarlyOnly }: ReplacedDialog): string {
  return `${callId};to-tag=${toTag};from-tag=${fromTag}${isEarlyOnly ? ';early-only' : ''}`
}

/** Whether it is this dialog of ours that is meant. */
export function isReplaced(dialog: InviteDialog, replaced: ReplacedDialog): boolean {
  const { callId, localTag, remoteTag } = dialog
  return callId === replaced.callId && localTag === replaced.toTag && remoteTag === replaced.fromTag
}
