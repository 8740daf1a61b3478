// What verification finds.

/** One thing that is not as it was attested. */
export interface Finding {
  readonly code: FindingCode
  /** File or folder below the root, or a line of a chain. */
  readonly where: string
  readonly detail: string
}

/** What can be found. */
export type FindingCode =
  | 'file-changed'
  | 'file-truncated'
  | 'file-extended'
  | 'file-missing'
  | 'file-inserted'
  | 'evidence-missing'
  | 'evidence-changed'
  /** Signed by a key that is not among those given. */
  | 'foreign-key'
  /** Evidence of another recording. */
  | 'evidence-swapped'
  /** The chain vouches for other evidence, or for none. */
  | 'not-in-chain'
  | 'recording-missing'
  | 'recording-inserted'
  /** There, though the chain says that it was deleted. */
  | 'recording-came-back'
  | 'line-changed'
  | 'line-missing'
  | 'line-inserted'
  | 'line-moved'
  /** The last line of a day has no end. */
  | 'line-torn'
  /** The chain does not hold the line that was said to be in it. */
  | 'head-missing'
