// Entry of a sandbox thread: evaluates one expression at a time until the host ends it.

import { parentPort } from 'node:worker_threads'
import variant from '@jitl/quickjs-wasmfile-release-sync'
import { newQuickJSWASMModuleFromVariant, type QuickJSSyncVariant } from 'quickjs-emscripten-core'
import { invariant, messageOf } from '#kernel'
import { evaluateIn } from './evaluation.ts'
import type { SandboxReply, SandboxRequest } from './sandbox-messages.ts'

const port = parentPort
invariant(port !== null, 'runs as a worker thread')

const reply = (message: SandboxReply): void => port.postMessage(message)
// Its types are those of its CommonJS twin, which has the variant one level deeper.
const module = await newQuickJSWASMModuleFromVariant(variant as unknown as QuickJSSyncVariant)

port.on('message', (request: SandboxRequest) => {
  try {
    reply(evaluateIn(module, request))
  } catch (thrown) {
    // The module may be left in any state: the thread ends, and the host starts another.
    reply({ kind: 'failed', reason: `the sandbox gave up: ${messageOf(thrown).slice(0, 120)}` })
    port.close()
  }
})
reply({ kind: 'ready' })
