import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultProfile } from '#recording-client'
import { parseConfig } from './config.ts'
import { profileOf } from './recorder-presets.ts'

function profile(written: string): ReturnType<typeof profileOf> {
  const listen = '[{ transport: tls, port: 0 }]'
  const text = `gateway:\n  sip: { listen: ${listen}, tls: { certFile: a, keyFile: b } }\n  recording: { profiles: [${written}] }`
  const parsed = parseConfig(text, 'test.yaml')
  assert.ok(parsed.ok, parsed.ok ? '' : JSON.stringify(parsed.error))
  return profileOf(parsed.value.gateway!.recording.profiles[0]!)
}

test('a profile that says nothing is that of a recorder about which nothing is configured', () => {
  assert.deepEqual(profile('{ name: default }'), defaultProfile)
})

test('what is written goes before the preset, key by key', () => {
  const { transport, media, metadata, headers } = profile(
    '{ name: a, preset: google, media: { codecs: as-call }, metadata: { updates: partial }, headers: { Call-Info: <urn:a> } }',
  )
  assert.equal(transport, 'tls')
  assert.deepEqual([media.codecs, media.srtp], ['as-call', ['AES_CM_128_HMAC_SHA1_80', 'AEAD_AES_256_GCM']])
  assert.deepEqual([metadata.updates, metadata.dialect], ['partial', 'rfc7865'])
  assert.deepEqual(headers, [['Call-Info', '<urn:a>']])
})

test('field 32: each preset speaks the dialect that its recorders are known to take', () => {
  const dialects = ['rfc', 'jambonz', 'smarttap', 'google', 'chime'].map((preset) => {
    const { metadata, media } = profile(`{ name: a, preset: ${preset} }`)
    return `${preset} ${metadata.mediaType} ${metadata.dialect} ${metadata.jambonzWrapper} ${media.codecs}`
  })
  assert.deepEqual(dialects, [
    'rfc rfc rfc7865 false as-call',
    'jambonz rfc rfc7865 true as-call',
    'smarttap legacy smarttap false as-call',
    'google rfc rfc7865 false g711',
    'chime rfc rfc7865 false g711',
  ])
})
