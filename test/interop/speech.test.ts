// espeak-ng speaks what a flow says where no service is named.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '#net'
import { Speech } from '../../src/app/speech.ts'
import { requireTools } from '../harness/tools.ts'

requireTools('espeak-ng')

test('espeak-ng speaks where no service is named, and a voice that it does not have is told', async () => {
  const settings = { contentType: 'application/json', language: 'en', voice: '', timeoutMs: 10_000 }
  const speech = new Speech(settings, systemClock)
  const spoken = await speech.speak({ text: 'one two three', language: '', voice: '' })
  assert.ok(spoken.ok, JSON.stringify(spoken))
  assert.ok(spoken.value.pcmu.length > 2_400 && spoken.value.pcmu.length < 40_000)
  const unknown = await speech.speak({ text: 'one', language: '', voice: 'nobody-such' })
  assert.ok(!unknown.ok)
  assert.match(unknown.error.message, /espeak-ng ended/)
})
