// Whether memory grows: a straight line through its samples.

/** Memory at a moment of a soak. */
export interface MemorySample {
  readonly calls: number
  readonly rssBytes: number
  readonly heapBytes: number
}

/** How memory grows from call to call, in bytes. */
export interface Growth {
  readonly rssBytesPerCall: number
  readonly heapBytesPerCall: number
}

/** Growth over the second half of the samples, when what fills up once is full. */
export function growthOf(samples: readonly MemorySample[]): Growth {
  const half = samples.slice(Math.floor(samples.length / 2))
  const slope = (of: (sample: MemorySample) => number): number =>
    slopeOf(half.map((sample) => [sample.calls, of(sample)] as const))
  return { rssBytesPerCall: slope(({ rssBytes }) => rssBytes), heapBytesPerCall: slope(({ heapBytes }) => heapBytes) }
}

/** Slope of the line with the least squares; 0 where there is no line. */
function slopeOf(points: ReadonlyArray<readonly [x: number, y: number]>): number {
  const mean = (index: 0 | 1): number => points.reduce((sum, point) => sum + point[index], 0) / points.length
  const [meanX, meanY] = [mean(0), mean(1)]
  const across = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  return across === 0 ? 0 : points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / across
}
