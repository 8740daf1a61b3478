// The published test vectors: RFC 3711 appendix B, RFC 7714 sections 16 and 17.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AesCounter } from './aes-counter.ts'
import { GcmCipher } from './gcm-cipher.ts'
import { deriveKey, keyLabels } from './key-derivation.ts'
import { MAX_SEAL_BYTES } from './srtp-cipher.ts'

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function roomFor(text: string): { readonly bytes: Uint8Array; readonly size: number } {
  const packet = bytesOf(text)
  const bytes = new Uint8Array(packet.length + MAX_SEAL_BYTES)
  bytes.set(packet)
  return { bytes, size: packet.length }
}

test('AES-CM gives the keystream of RFC 3711 appendix B.2, to its last block', () => {
  const stream = new Uint8Array(1_044_512)
  const iv = bytesOf('F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000')
  new AesCounter(bytesOf('2B7E151628AED2A6ABF7158809CF4F3C')).apply(iv, stream, 0, stream.length)
  assert.equal(
    hexOf(stream.subarray(0, 48)),
    'e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0',
  )
  assert.equal(
    hexOf(stream.subarray(-48)),
    'ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae6a2cc3787889374fbeb4c81b17ba6c44',
  )
})

test('the key derivation gives the session keys of RFC 3711 appendix B.3', () => {
  const key = bytesOf('E1F97A0D3E018BE0D64FA32C06DE4139')
  const salt = bytesOf('0EC675AD498AFEEBB6960B3AABE6')
  const derive = (label: number, byteCount: number): string => hexOf(deriveKey(key, salt, label, byteCount))
  assert.equal(derive(keyLabels.rtpEncryption, 16), 'c61e7a93744f39ee10734afe3ff7a087')
  assert.equal(derive(keyLabels.rtpSalt, 14), '30cbbc08863d8c85d49db34a9ae1')
  assert.equal(
    derive(keyLabels.rtpAuthentication, 94),
    `cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbcee049646c43d9327ad175578ef7227098
     6371c10c9a369ac2f94a8c5fbcdddc256d6e919a48b610ef17c2041e474035766b68642c59bbfc2f34db60dbdfb2`.replaceAll(
      /\s/g,
      '',
    ),
  )
})

const salt = bytesOf('517569642070726f2071756f')
const key128 = bytesOf('000102030405060708090a0b0c0d0e0f')
const key256 = bytesOf('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f')
const rtpSsrc = 0x5501a0b2
const rtpIndex = 0xf17b
const rtpPacket = `8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070
  61727465 73207472 6573`
const sealedRtp = [
  {
    key: key128,
    sealed: `8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b
      36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce`,
  },
  {
    key: key256,
    sealed: `8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f
      1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13`,
  },
]

for (const { key, sealed } of sealedRtp) {
  test(`AES-GCM with ${key.length * 8} bits seals and opens the RTP packet of RFC 7714 section 16`, () => {
    const cipher = new GcmCipher({ key, salt }, { key, salt })
    const { bytes, size } = roomFor(rtpPacket)
    assert.equal(cipher.sealRtp(bytes, 12, size, rtpSsrc, rtpIndex), size + 16)
    assert.equal(hexOf(bytes.subarray(0, size + 16)), hexOf(bytesOf(sealed)))
    const back = bytesOf(sealed)
    assert.equal(cipher.openRtp(back, 12, rtpSsrc, rtpIndex), size)
    assert.equal(hexOf(back.subarray(0, size)), hexOf(bytesOf(rtpPacket)))
  })
}

const rtcpSsrc = 0x4d617273
const rtcpIndex = 0x5d4
const rtcpPacket = `81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef
  deadbeef deadbeef deadbeef`
const sealedRtcp = [
  {
    key: key128,
    title: 'encrypted, 128 bits (section 17.1)',
    sealed: `81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda 4ce09b46
      86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4`,
  },
  {
    key: key256,
    title: 'encrypted, 256 bits (section 17.2)',
    sealed: `81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50 a2eaa5c1 110555be 8415f658
      c61de047 6f1b6fad 1d1eb30c 4446839f 57ff6f6c b26ac3be 800005d4`,
  },
  {
    key: key128,
    title: 'tagged only, 128 bits (section 17.3)',
    sealed: `${rtcpPacket} 841dd968 3dd78ec9 2ae58790 125f62b3 000005d4`,
  },
  {
    key: key256,
    title: 'tagged only, 256 bits (section 17.4)',
    sealed: `${rtcpPacket} 91db4afb feee5a97 8fab4393 ed2615fe 000005d4`,
  },
]

for (const { key, title, sealed } of sealedRtcp) {
  test(`SRTCP of RFC 7714: ${title}`, () => {
    const cipher = new GcmCipher({ key, salt }, { key, salt })
    const back = bytesOf(sealed)
    const size = bytesOf(rtcpPacket).length
    assert.equal(cipher.rtcpIndexOf(back), rtcpIndex)
    assert.equal(cipher.openRtcp(back, rtcpSsrc, rtcpIndex), size)
    assert.equal(hexOf(back.subarray(0, size)), hexOf(bytesOf(rtcpPacket)))
    if (!title.startsWith('encrypted')) return
    const { bytes } = roomFor(rtcpPacket)
    assert.equal(cipher.sealRtcp(bytes, size, rtcpSsrc, rtcpIndex), size + 20)
    assert.equal(hexOf(bytes.subarray(0, size + 20)), hexOf(bytesOf(sealed)))
  })
}
