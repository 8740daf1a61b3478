// A real S3 server in a temporary folder, behind a proxy that breaks what a test wants broken.

import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import S3rver from 's3rver'
import { type ObjectStorage, openS3, type S3Settings } from '#store'

const HOST = '127.0.0.1'
const BUCKET = 'recordings'

/** What to do with a request instead of passing it on: answer 500 or 404, cut the connection, or change a byte of its body. */
export type Fault = 'error' | 'missing' | 'cut' | 'corrupt' | undefined

/** A running server. */
export interface ObjectServer {
  readonly settings: S3Settings
  /** The bucket, past the faults. */
  readonly storage: ObjectStorage
  /** Asked for each request, by method and target. */
  fault: (method: string, target: string) => Fault
  /** Methods and targets so far. */
  readonly requests: string[]
  close(): Promise<void>
}

/** Starts a server with an empty bucket. */
export async function startObjectServer(): Promise<ObjectServer> {
  const directory = mkdtempSync(join(tmpdir(), 's3-'))
  const s3rver = new S3rver({
    address: HOST,
    port: 0,
    silent: true,
    directory,
    configureBuckets: [{ name: BUCKET }],
  })
  const { port } = await s3rver.run()
  const server: { fault: ObjectServer['fault']; readonly requests: string[] } = { fault: () => undefined, requests: [] }
  const proxy = createServer((incoming, outgoing) => void pass(incoming, outgoing, port, server))
  await new Promise<void>((resolve) => void proxy.listen(0, HOST, resolve))
  const settingsFor = (at: number): S3Settings => ({
    endpoint: `http://${HOST}:${at}/${BUCKET}`,
    region: 'us-east-1',
    accessKeyId: 'S3RVER',
    secretAccessKey: 'S3RVER',
  })
  return Object.assign(server, {
    settings: settingsFor((proxy.address() as AddressInfo).port),
    storage: openS3(settingsFor(port)),
    close: async () => {
      proxy.closeAllConnections()
      await new Promise<void>((resolve) => void proxy.close(() => resolve()))
      await s3rver.close()
      rmSync(directory, { recursive: true, force: true })
    },
  })
}

async function pass(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  port: number,
  server: Pick<ObjectServer, 'fault' | 'requests'>,
): Promise<void> {
  const { method = '', url = '', headers } = incoming
  server.requests.push(`${method} ${url}`)
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  const fault = server.fault(method, url)
  if (fault === 'cut') {
    incoming.socket.destroy()
    return
  }
  if (fault === 'error' || fault === 'missing') {
    outgoing.writeHead(fault === 'error' ? 500 : 404).end()
    return
  }
  if (fault === 'corrupt' && body.length > 0) body[0] = body[0]! ^ 1
  const onward = request({ host: HOST, port, method, path: url, headers }, (response) => {
    outgoing.writeHead(response.statusCode ?? 502, response.headers)
    response.pipe(outgoing)
  })
  onward.on('error', () => outgoing.destroy())
  onward.end(body)
}
