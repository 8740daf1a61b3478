/** What may have become of the recording of a call. */
export const recordVerdicts = ['recorded', 'incomplete', 'failed', 'unrecorded'] as const
