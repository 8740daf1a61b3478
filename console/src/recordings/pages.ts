// The recordings that match, page after page; what is on the page already is kept up to date.

import { signal } from '@preact/signals'
import type { RecordingSummary } from '../../../src/control/recordings/recording-contract.ts'
import { ApiError, get } from '../data/http.ts'

const FIRST_PAGE = 50
const PAGE = 200

interface Page {
  readonly total?: number
  readonly isTotalExact?: boolean
  readonly next?: string
  readonly items: readonly RecordingSummary[]
}

/** A search and as much of its outcome as was read. */
export class RecordingPages {
  /** Newest first; the array grows in place, `version` tells. */
  readonly items: RecordingSummary[] = []
  readonly version = signal(0)
  readonly total = signal<string>()
  /** How many there are; undefined where only that there are more is known. */
  readonly count = signal<number>()
  readonly error = signal<ApiError>()
  readonly isLoading = signal(false)
  /** Began after what stands first in the list. */
  readonly newer = signal(0)
  #query = ''
  #next: string | undefined
  #abort = new AbortController()

  /** Whether more can be read. */
  get hasMore(): boolean {
    return this.#next !== undefined
  }

  /** Begins anew; the former outcome stands until the first page is here. */
  async search(query: string): Promise<void> {
    this.#abort.abort()
    this.#query = query
    await this.#read(undefined, (page) => {
      this.items.length = 0
      this.#next = undefined
      this.newer.value = 0
      this.#append(page)
    })
  }

  /** Reads the next page, unless a page is under way. */
  async more(): Promise<void> {
    if (this.isLoading.value || this.#next === undefined) return
    await this.#read(this.#next, (page) => this.#append(page))
  }

  /** Reads the first page again: changed rows are replaced, those that match no longer go, new ones are counted. */
  async refresh(): Promise<void> {
    if (this.isLoading.value) return
    await this.#read(undefined, (page) => {
      const places = new Map(this.items.slice(0, PAGE).map((item, at) => [item.recordingId, at]))
      let newer = 0
      for (const item of page.items) {
        const at = places.get(item.recordingId)
        if (at === undefined) newer++
        else this.items[at] = item
      }
      this.newer.value = newer
      this.#forgetGone(page)
      this.#tell(page)
    })
  }

  /** Ends what is under way. */
  close(): void {
    this.#abort.abort()
  }

  /** The page tells of all that there is down to its last row. */
  #forgetGone({ items, next }: Page): void {
    const there = new Set(items.map(({ recordingId }) => recordingId))
    const last =
      next === undefined ? this.items.length : this.items.findLastIndex((item) => there.has(item.recordingId))
    for (let at = last; at >= 0; at--) {
      const item = this.items[at]
      if (item !== undefined && !there.has(item.recordingId)) this.items.splice(at, 1)
    }
    if (next === undefined) this.#next = undefined
  }

  #append(page: Page): void {
    this.items.push(...page.items)
    this.#next = page.next
    this.#tell(page)
  }

  #tell({ total, isTotalExact }: Page): void {
    if (total !== undefined) {
      const count = total.toLocaleString()
      this.count.value = isTotalExact === false ? undefined : total
      this.total.value = isTotalExact === false ? `more than ${count}` : count
    }
    this.version.value++
  }

  async #read(after: string | undefined, take: (page: Page) => void): Promise<void> {
    const abort = new AbortController()
    this.#abort = abort
    this.isLoading.value = true
    try {
      const place = after === undefined ? '' : `&after=${after}`
      const limit = after === undefined ? FIRST_PAGE : PAGE
      const page = await get<Page>(`/api/recordings?limit=${limit}${place}&${this.#query}`, abort.signal)
      if (abort.signal.aborted) return
      take(page)
      this.error.value = undefined
    } catch (cause) {
      if (abort.signal.aborted) return
      this.error.value = cause instanceof ApiError ? cause : new ApiError(0, 'fault', String(cause))
    } finally {
      if (this.#abort === abort) this.isLoading.value = false
    }
  }
}
