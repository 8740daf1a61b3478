// What a check found: a code, how bad it is, where it is, which RFC says so, and what to do about it.

/** `error`: a rule of an RFC is broken; `warning`: legal or tolerated, yet recorders stumble; `note`: worth knowing. */
export type Severity = 'error' | 'warning' | 'note'

/** What a rule of the catalogue says of every finding with its code. */
export interface Rule {
  readonly severity: Severity
  /** RFC and section. */
  readonly section: string
  readonly advice: string
}

/** One finding in a file. */
export interface Finding extends Rule {
  readonly code: string
  readonly message: string
  /** Line of the file, from 1, where it is known. */
  readonly line?: number
  readonly column?: number
}

/** Where something stands in the file. */
export interface FilePlace {
  readonly line: number
  readonly column?: number
}

/** Called by a check for each thing it finds. */
export type Report<Code extends string> = (code: Code, message: string, place?: FilePlace) => void
