// The lines of the chain against each other: what was changed, left out, put in, or moved.

import { CHAIN_FILE, type ChainEntry, type ChainLine, NO_LINE, parseChainLine, readChain } from './chain.ts'
import type { Finding } from './finding.ts'
import { judgeSignature, type PublicKeys } from './signing-key.ts'
import { finding } from './verify-recording.ts'

/** The last line of a chain. */
export interface ChainHead {
  readonly number: number
  readonly hash: string
}

/** What a part of the chain says. */
export interface ChainVerdict {
  readonly findings: readonly Finding[]
  /** Lines whose signature holds, in order. */
  readonly entries: readonly ChainEntry[]
  /** Hashes of those lines. */
  readonly hashes: ReadonlySet<string>
  readonly head?: ChainHead
}

/** Checks days that follow each other; `isWhole`: they are all, so the first line must be number 1. */
export function verifyChain(root: string, days: readonly string[], isWhole: boolean, keys: PublicKeys): ChainVerdict {
  const walk = new ChainWalk(keys, isWhole)
  for (const day of days) {
    const { lines, isTorn } = readChain(root, day)
    lines.forEach((text, index) => {
      const where = `${day}/${CHAIN_FILE}:${index + 1}`
      if (isTorn && index === lines.length - 1) walk.tear(where)
      else walk.take(text, where)
    })
  }
  return walk.end()
}

class ChainWalk {
  readonly #keys: PublicKeys
  readonly #findings: Finding[] = []
  readonly #entries: ChainEntry[] = []
  readonly #hashes = new Set<string>()
  /** Numbers that were passed over, with the place where they should be. */
  readonly #missing = new Map<number, string>()
  readonly #seen = new Set<number>()
  #expected: number | undefined
  /** Hashes by number, which the lines behind must name. */
  readonly #hashOf = new Map<number, string>([[0, NO_LINE]])
  #head: ChainHead | undefined

  constructor(keys: PublicKeys, isWhole: boolean) {
    this.#keys = keys
    this.#expected = isWhole ? 1 : undefined
  }

  tear(where: string): void {
    this.#findings.push(finding('line-torn', where, 'ends in the middle'))
  }

  take(text: string, where: string): void {
    const line = parseChainLine(text)
    if (line === undefined || !this.#isSigned(line, where)) {
      if (line === undefined) this.#findings.push(finding('line-changed', where, 'not readable'))
      // It stands where it should, as far as can be told.
      if (this.#expected !== undefined) this.#seen.add(this.#expected++)
      return
    }
    const { entry, hash } = line
    this.#place(entry, where)
    this.#entries.push(entry)
    this.#hashes.add(hash)
    if (this.#head === undefined || entry.number > this.#head.number) this.#head = { number: entry.number, hash }
    if (!this.#hashOf.has(entry.number)) this.#hashOf.set(entry.number, hash)
  }

  end(): ChainVerdict {
    for (const [number, where] of this.#missing) {
      this.#findings.push(finding('line-missing', where, `line number ${number} is not there`))
    }
    const head = this.#head === undefined ? {} : { head: this.#head }
    return { findings: this.#findings, entries: this.#entries, hashes: this.#hashes, ...head }
  }

  #isSigned({ entry, signed, signature }: ChainLine, where: string): boolean {
    const judged = judgeSignature(this.#keys, entry.keyId, Buffer.from(signed), signature)
    if (judged === 'foreign') {
      this.#findings.push(finding('foreign-key', where, `signed by key ${entry.keyId}, which is not given`))
    } else if (judged === 'bad') {
      this.#findings.push(finding('line-changed', where, 'its signature does not hold'))
    }
    return judged === 'good'
  }

  #place({ number, previous, recordingId }: ChainEntry, where: string): void {
    const expected = this.#expected ?? number
    const detail = `line number ${number}, of ${recordingId}`
    if (number < expected) {
      const isMoved = this.#missing.delete(number) && !this.#seen.has(number)
      this.#findings.push(finding(isMoved ? 'line-moved' : 'line-inserted', where, detail))
    } else {
      for (let lost = expected; lost < number; lost++) this.#missing.set(lost, where)
      this.#expected = number + 1
      if ((this.#hashOf.get(number - 1) ?? previous) !== previous) {
        this.#findings.push(finding('line-inserted', where, `${detail}, does not follow the line before`))
      }
    }
    this.#seen.add(number)
  }
}
