import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { decodePcmu, goertzelPower, interleavePcm16, tone, wavHeader } from '#audio'
import { ManualClock } from '#kernel'
import { systemClock } from '#net'
import { Speech } from './speech.ts'

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.closeAllConnections())
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function wav(frequencyHz: number): Buffer {
  const data = interleavePcm16([tone(frequencyHz, 300)])
  const shape = { format: 'pcm16', sampleRateHz: 8000, channels: 1, dataBytes: data.length } as const
  return Buffer.concat([wavHeader(shape), data])
}

const settings = { contentType: 'application/json', language: 'en', voice: 'plain', timeoutMs: 10_000 }
const hello = { text: 'Say "hello" & go', language: '', voice: '' }

test('a service is asked once for a text, by GET or by POST, and what it says is played', async (t) => {
  const asked: string[] = []
  const url = await serve(t, async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    asked.push(`${request.method} ${request.url} ${body}`)
    response.end(wav(700))
  })
  const get = new Speech({ ...settings, url: `${url}/?t={text}&l={language}&v={voice}` }, systemClock)
  const [first, again] = [await get.speak(hello), await get.speak(hello)]
  assert.ok(first.ok && again.ok)
  assert.ok(goertzelPower(decodePcmu(first.value.pcmu), 8000, 700) > 0.8)
  const post = new Speech({ ...settings, url, body: '{"text":"{text}","voice":"{voice}"}' }, systemClock)
  await post.speak({ ...hello, voice: 'deep' })
  assert.deepEqual(asked, [
    'GET /?t=Say%20%22hello%22%20%26%20go&l=en&v=plain ',
    'POST / {"text":"Say \\"hello\\" & go","voice":"deep"}',
  ])
})

test('a service that fails is an error without the text, and is asked again the next time', async (t) => {
  let status = 500
  const url = await serve(t, (_request, response) => response.writeHead(status).end(status === 200 ? 'no wav' : ''))
  const speech = new Speech({ ...settings, url: `${url}/{text}` }, systemClock)
  const refused = await speech.speak(hello)
  assert.ok(!refused.ok)
  assert.equal(refused.error.message, 'the speech service answered 500')
  status = 200
  const odd = await speech.speak(hello)
  assert.ok(!odd.ok)
  assert.match(odd.error.message, /no WAV/)
  for (const text of ['', ' ', 'x'.repeat(5_000)]) assert.equal((await speech.speak({ ...hello, text })).ok, false)
})

test('a service that does not answer is given up after its time', async (t) => {
  const url = await serve(t, () => {})
  const clock = new ManualClock()
  const speaking = new Speech({ ...settings, url }, clock).speak(hello)
  clock.advance(10_000)
  assert.deepEqual(await speaking, { ok: false, error: { message: 'no speech in 10000 ms' } })
  assert.deepEqual(clock.pendingNames(), [])
})
