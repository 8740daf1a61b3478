// What crosses between the main thread and a sandbox thread: text and JSON data only.

/** Work for the thread; one at a time. */
export interface SandboxRequest {
  readonly source: string
  /** `{input, context, profile}` as JSON. */
  readonly scope: string
}

/** What an evaluation came to: a plain value, or JSON of an object or list, or why there is none. */
export type SandboxOutcome =
  | { readonly kind: 'plain'; readonly value: string | number | boolean | null | undefined }
  | { readonly kind: 'json'; readonly text: string }
  | { readonly kind: 'failed'; readonly reason: string }

/** Messages of the thread. */
export type SandboxReply = { readonly kind: 'ready' } | SandboxOutcome
