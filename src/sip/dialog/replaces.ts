// Which dialog an INVITE asks to take the place of: the Replaces header, RFC 3891 sections 3 and 6.1.

import { err, ok, type Result } from '#kernel'
import type { SipRequest } from '../message/message.ts'
import { readParams } from '../message/params.ts'
import { RawText } from '../message/raw-text.ts'
import type { ReplacedDialog } from '../session.ts'
import { dialogKey } from './dialog-state.ts'
import type { DialogTable } from './dialog-table.ts'

/** A dialog as its reader knows it: `toTag` is the reader's own. */
export interface Replaces {
  readonly callId: string
  readonly toTag: string
  readonly fromTag: string
  readonly isEarlyOnly: boolean
}

/** What is to be replaced, nothing if nothing is asked; the error is the status to refuse with. Who may ask is for the user to decide. */
export function findReplaced(request: SipRequest, dialogs: DialogTable): Result<ReplacedDialog | undefined, number> {
  const values = request.headers.all('replaces')
  if (values.length === 0) return ok(undefined)
  const replaces = values.length === 1 ? parseReplaces(values[0] ?? '') : undefined
  if (replaces === undefined || request.headers.has('join')) return err(400)
  const key = dialogKey(replaces.callId, replaces.toTag, replaces.fromTag)
  const holder = dialogs.find(key)
  if (holder === undefined) return err(dialogs.hasEnded(key) ? 603 : 481)
  const { replaceable } = holder
  if (replaceable === 'ended') return err(603)
  if (replaceable === 'not-ours') return err(481)
  return replaces.isEarlyOnly && replaceable.kind === 'confirmed' ? err(486) : ok(replaceable)
}

/** Reads a Replaces value; undefined when it names no dialog. A tag `0` stands for no tag at all (RFC 3891 section 6.1). */
export function parseReplaces(value: string): Replaces | undefined {
  const semicolon = value.indexOf(';')
  if (semicolon <= 0) return undefined
  const raw = RawText.of(value.slice(semicolon))
  const params = readParams(raw, 0, raw.bytes.length)
  const toTag = params.get('to-tag')
  const fromTag = params.get('from-tag')
  const isTwice = (name: string): boolean => value.toLowerCase().split(`${name}=`).length > 2
  if (!toTag || !fromTag || isTwice('to-tag') || isTwice('from-tag')) return undefined
  return {
    callId: value.slice(0, semicolon).trim(),
    toTag,
    fromTag: fromTag === '0' ? '' : fromTag,
    isEarlyOnly: params.has('early-only'),
  }
}
