// What main and library thread say to each other.

import type { LogFields } from '#kernel'
import type { LibraryRoom } from './library-room.ts'

/** What the thread can be asked for: the methods of its room. */
export type LibraryMethod = Exclude<keyof LibraryRoom, 'library' | 'connect' | 'retentionPlan' | 'applyRetention'>

/** A call of a method. */
export interface LibraryRequest {
  readonly requestId: number
  readonly method: LibraryMethod
  readonly args: readonly unknown[]
}

/** What the thread answers, and what it logs. */
export type LibraryReply =
  | { readonly kind: 'done'; readonly requestId: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly requestId: number; readonly code: string; readonly message: string }
  | {
      readonly kind: 'log'
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly message: string
      readonly fields: LogFields
    }
