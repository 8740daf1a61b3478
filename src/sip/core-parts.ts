// The pieces of one core that its sessions share.

import type { Clock, Logger } from '#kernel'
import type { SipCoreOptions } from './core-options.ts'
import type { DialogTable } from './dialog/dialog-table.ts'
import type { Essentials } from './essentials.ts'
import type { SipRequest } from './message/message.ts'
import type { MessageBuilder } from './message-builder.ts'
import type { ReplacedDialog } from './session.ts'
import type { StreamMemory } from './stream-memory.ts'
import type { ServerTransaction } from './transaction/server-transaction.ts'
import type { TimerValues } from './transaction/timer-values.ts'
import type { TransactionLayer } from './transaction/transaction-layer.ts'
import type { SipFlow } from './transport-port.ts'
import type { Wire } from './wire.ts'

/** A request that opened a server transaction. */
export interface Arrived {
  readonly transaction: ServerTransaction
  readonly request: SipRequest
  readonly facts: Essentials
  readonly flow: SipFlow
}

/** Whoever holds a dialog, early or confirmed, and gets what comes within it. */
export interface DialogHolder {
  onRequest(arrived: Arrived): void
  onAck(ack: SipRequest, cseqNumber: number): void
  /** Address that the peer was last heard from; undefined for a dialog that we asked for. */
  readonly peerHost?: string | undefined
  /** What a Replaces that names this dialog means. */
  readonly replaceable: ReplacedDialog | 'ended' | 'not-ours'
}

/** What every session of a core works with. */
export interface CoreParts {
  readonly options: SipCoreOptions
  readonly clock: Clock
  readonly timers: TimerValues
  readonly log: Logger
  readonly wire: Wire
  readonly builder: MessageBuilder
  readonly transactions: TransactionLayer
  readonly streams: StreamMemory
  readonly dialogs: DialogTable
}
