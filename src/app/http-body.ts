// The body of an HTTP answer, no more of it than is wanted.

/** All bytes of the body; undefined when there are more than `maxBytes`, after which nothing more is read. */
export async function bodyWithin(response: Response, maxBytes: number): Promise<Uint8Array | undefined> {
  if (response.body === null) return new Uint8Array()
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
    size += part.length
    // Leaving the loop cancels the stream.
    if (size > maxBytes) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts)
}
