// Assertions for broken invariants: a bug ends the operation at hand, never the process.

/** Thrown when our own code broke one of its promises; network input must never cause it. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}

/** Throws InvariantError when the condition is false. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message)
}

/** Ends an exhaustive switch: the compiler proves that no case is left. */
export function assertNever(value: never): never {
  throw new InvariantError(`unhandled case: ${JSON.stringify(value)}`)
}
