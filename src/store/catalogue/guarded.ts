// Failures of the database as errors of the catalogue.

import { AppError, messageOf } from '#kernel'

/** Runs work on the database; what it throws is rejected as AppError `store.catalogue`. */
export async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    const verdict = { result: 'server', reason: 'catalogue' } as const
    throw new AppError('store.catalogue', `catalogue: ${messageOf(cause)}`, verdict, { cause })
  }
}
