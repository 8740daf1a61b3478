// Texts made into prompts: by an HTTP service that gives WAV, or by espeak-ng. What was spoken once is kept.

import { spawn } from 'node:child_process'
import { promptFromWav } from '#audio'
import type { Prompt } from '#engine'
import { type Clock, err, messageOf, type Result } from '#kernel'
import type { GatewayConfig } from './config-schema.ts'
import { bodyWithin } from './http-body.ts'

/** A text, and how it is to be spoken; empty: as configured. */
export interface Utterance {
  readonly text: string
  readonly language: string
  readonly voice: string
}

type Spoken = Result<Prompt, { readonly message: string }>

const MAX_TEXT = 4_000
const MAX_AUDIO_BYTES = 10_000_000
const MAX_KEPT = 64

/** Speaks; no promise rejects, and no error has the text in it. */
export class Speech {
  readonly #config: GatewayConfig['speech']
  readonly #clock: Clock
  readonly #kept = new Map<string, Promise<Spoken>>()

  constructor(config: GatewayConfig['speech'], clock: Clock) {
    this.#config = config
    this.#clock = clock
  }

  /** The prompt of a text. */
  speak(utterance: Utterance): Promise<Spoken> {
    const key = JSON.stringify([utterance.text, utterance.language, utterance.voice])
    const kept = this.#kept.get(key)
    if (kept !== undefined) return kept
    const speaking = this.#speak(utterance)
    this.#kept.set(key, speaking)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest)
    void speaking.then((spoken) => {
      if (!spoken.ok && this.#kept.get(key) === speaking) this.#kept.delete(key)
    })
    return speaking
  }

  async #speak({ text, language, voice }: Utterance): Promise<Spoken> {
    if (text.trim() === '') return err({ message: 'there is no text' })
    if (text.length > MAX_TEXT) return err({ message: `the text is longer than ${MAX_TEXT} characters` })
    const { url, timeoutMs } = this.#config
    const utterance = { text, language: language || this.#config.language, voice: voice || this.#config.voice }
    const abort = new AbortController()
    const timer = this.#clock.after(timeoutMs, 'speech', () => abort.abort(new Error(`no speech in ${timeoutMs} ms`)))
    try {
      const wav =
        url === undefined ? await espeak(utterance, abort.signal) : await this.#ask(url, utterance, abort.signal)
      const prompt = promptFromWav(wav)
      return prompt.ok ? prompt : err({ message: `the speech is no WAV: ${prompt.error.message}` })
    } catch (fault) {
      return err({ message: messageOf(abort.signal.aborted ? abort.signal.reason : fault).slice(0, 200) })
    } finally {
      timer.cancel()
    }
  }

  async #ask(url: string, utterance: Utterance, signal: AbortSignal): Promise<Uint8Array> {
    const { body, contentType } = this.#config
    const response = await fetch(filled(url, utterance, encodeURIComponent), {
      redirect: 'error',
      signal,
      ...(body === undefined
        ? {}
        : { method: 'POST', body: filled(body, utterance, inJson), headers: { 'content-type': contentType } }),
    })
    const wav = await bodyWithin(response, MAX_AUDIO_BYTES)
    if (!response.ok) throw new Error(`the speech service answered ${response.status}`)
    if (wav === undefined) throw new Error(`the speech is larger than ${MAX_AUDIO_BYTES} bytes`)
    return wav
  }
}

function filled(template: string, utterance: Utterance, quote: (text: string) => string): string {
  return template.replace(/\{(text|language|voice)\}/g, (_, name: keyof Utterance) => quote(utterance[name]))
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

/** The text goes in by standard input: the list of processes must not show it. */
function espeak({ text, language, voice }: Utterance, signal: AbortSignal): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const name = voice || language
    const child = spawn('espeak-ng', ['--stdin', '--stdout', ...(name === '' ? [] : ['-v', name])], {
      signal,
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    const parts: Buffer[] = []
    let size = 0
    child.stdout.on('data', (part: Buffer) => {
      size += part.length
      if (size <= MAX_AUDIO_BYTES) parts.push(part)
      else child.kill()
    })
    child.on('error', (fault: NodeJS.ErrnoException) =>
      reject(fault.code === 'ENOENT' ? new Error('neither gateway.speech.url is set nor is espeak-ng there') : fault),
    )
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(parts))
      else reject(new Error(`espeak-ng ended with ${code}`))
    })
    child.stdin.on('error', () => {})
    child.stdin.end(text)
  })
}
