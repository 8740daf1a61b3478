// Body parts that a recorder does not understand (RFC 3261 section 8.2.3, RFC 5621 section 8).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededIds } from '#kernel'
import type { SipBody } from '#sip'
import { buildMultipart } from '#siprec'
import { type ClientSession, RecorderBench, STRICT } from '../../test/harness/recorder.ts'
import { bareMetadata, offer } from '../../test/harness/recording-offer.ts'

const GTD = new TextEncoder().encode('IAM,\r\nPRN,isdn*\r\n')

/** SDP, metadata and a part of an unknown type. */
function withUnknown(disposition: string | undefined, version = 1): SipBody {
  const unknown = { contentType: 'application/gtd', content: GTD, ...(disposition && { disposition }) }
  return buildMultipart([offer(undefined, version), bareMetadata('Bob'), unknown], seededIds(4))
}

const REQUIRED = ['signal;handling=required', 'signal', undefined]
const OPTIONAL = ['signal;handling=optional', 'signal; Handling = "optional"']

function assertRefused(outcome: ClientSession | object): void {
  assert.ok('status' in outcome && 'response' in outcome)
  const { status, response } = outcome as { status: number; response: ClientSession['response'] }
  assert.equal(status, 415)
  const accept = response.headers.list('Accept')
  assert.deepEqual(accept, [
    'application/sdp',
    'application/rs-metadata+xml',
    'application/rs-metadata',
    'multipart/mixed',
  ])
}

test('SRS-07: strict refuses an INVITE with an unknown part that is required, or not marked, with 415 and Accept', async (t) => {
  const bench = await RecorderBench.open(t, { policyFor: () => STRICT })
  for (const disposition of REQUIRED) assertRefused(await bench.invite(withUnknown(disposition)))
  assert.equal((await bench.server.sessions()).length, 0)
})

test('SRS-07: strict refuses the same in a re-INVITE and an UPDATE, and the session goes on as it was', async (t) => {
  const bench = await RecorderBench.open(t, { policyFor: () => STRICT })
  const session = await bench.start(offer())
  const body = withUnknown(undefined, 2)
  assertRefused(await bench.settled(session.dialog.reinvite({ body })))
  assertRefused(await bench.settled(session.dialog.request('UPDATE', { body })))
  const { manifest } = await bench.end(session)
  assert.deepEqual(manifest.metadata, [])
})

test('SRS-07: strict ignores an unknown part whose handling is optional, or that is an alternative', async (t) => {
  const bench = await RecorderBench.open(t, { policyFor: () => STRICT })
  for (const disposition of OPTIONAL) {
    const session = await bench.start(withUnknown(disposition))
    assert.equal((await bench.end(session)).manifest.metadata.length, 1)
  }
  const choice = withUnknown(undefined)
  const contentType = choice.contentType.replace('mixed', 'alternative')
  await bench.end(await bench.start({ ...choice, contentType }))
})

test('SRS-07, L-07: lenient takes a session with any unknown part', async (t) => {
  const bench = await RecorderBench.open(t)
  for (const disposition of [...REQUIRED, ...OPTIONAL]) {
    const session = await bench.start(withUnknown(disposition))
    assert.equal((await bench.end(session)).manifest.metadata.length, 1)
  }
})
