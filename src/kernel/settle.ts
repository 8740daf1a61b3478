// One turn of the event loop, in which everything that waits on promises alone gets done.

/** Lets queued promise continuations run, and those that they queue; no time passes. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
