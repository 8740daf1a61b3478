// Entry of the thread that makes recording.wav and its companions, and hashes what is published: minutes of work that no
// packet waits for.

import { parentPort, workerData } from 'node:worker_threads'
import { invariant, messageOf } from '#kernel'
import { systemClock } from '#net'
import { createDeriver, type DerivedFiles, Notary, Vault } from '#store'
import type { DeriveReply, DeriveRequest, DeriveWorkerOptions } from './derive-thread.ts'
import { ffmpegDecoder } from './ffmpeg-decoder.ts'

const port = parentPort
invariant(port !== null, 'runs as a worker thread')

const { archive, evidence, encryption } = workerData as DeriveWorkerOptions
const derive = await createDeriver({ archive, external: ffmpegDecoder(), files: encryption && new Vault(encryption) })
const notary = evidence && (await Notary.open(evidence, () => systemClock.wallMs()))

async function serve(request: DeriveRequest): Promise<DerivedFiles> {
  if ('job' in request) return await derive(request.job)
  await notary?.attest(request.attest)
  return {}
}

port.on('message', (request: DeriveRequest) => {
  const { jobId } = request
  serve(request).then(
    (files) => port.postMessage({ jobId, files } satisfies DeriveReply),
    (fault: unknown) => port.postMessage({ jobId, fault: messageOf(fault) } satisfies DeriveReply),
  )
})
