// Entry of the thread that makes recording.wav and its companions: minutes of work that no packet waits for.

import { parentPort, workerData } from 'node:worker_threads'
import { invariant, messageOf } from '#kernel'
import { createDeriver } from '#store'
import type { DeriveReply, DeriveRequest, DeriveWorkerOptions } from './derive-thread.ts'
import { ffmpegDecoder } from './ffmpeg-decoder.ts'

const port = parentPort
invariant(port !== null, 'runs as a worker thread')

const { archive } = workerData as DeriveWorkerOptions
const derive = await createDeriver({ archive, external: ffmpegDecoder() })
port.on('message', ({ jobId, job }: DeriveRequest) => {
  derive(job).then(
    (files) => port.postMessage({ jobId, files } satisfies DeriveReply),
    (fault: unknown) => port.postMessage({ jobId, fault: messageOf(fault) } satisfies DeriveReply),
  )
})
