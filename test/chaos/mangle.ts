// Mutations of messages, seeded: what a broken or hostile recorder might put on the wire.

import type { Ids } from '#kernel'

type Mutation = (lines: string[], random: Ids) => void

const numbers = ['0', '-1', '00000000001', '65536', '2147483648', '4294967296', '99999999999999999999', '1e9', 'x', '']
const fragments = [
  'A'.repeat(5000),
  '\0',
  '\u00e9\u{1f600}',
  ';;;',
  '<<>>',
  '"',
  '%00%ff',
  ',,,',
  ' \t ',
  '=',
  '\r',
  '[::1',
  '\\',
  '<!DOCTYPE x [<!ENTITY y "z">]>',
]
const lineBank = [
  'm=audio 70000 RTP/AVP 0',
  'm=audio 0 RTP/AVP',
  'm=video 4000 RTP/AVP 99',
  'm=audio 4000/9 TCP/TLS/RTP/SAVPF 0 0 0 300',
  'c=IN IP4 999.1.1.1',
  'c=IN IP6 ::',
  'a=rtpmap:0',
  'a=rtpmap:0 PCMU/0',
  'a=label:',
  'a=label:../..',
  'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:short',
  'a=rtcp:0 IN IP4 0.0.0.0',
  'Content-Length: 99999',
  'Content-Length: -5',
  'Content-Type: multipart/mixed',
  'Content-Type: multipart/mixed;boundary=""',
  'Content-Encoding: gzip',
  'Contact: *',
  'Contact: <sip:>',
  'Contact: <tel:+1>',
  'Record-Route: <sip:10.0.0.50;lr>, <>',
  'Require: 100rel, unheard-of',
  'Retry-After: 99999999999',
  'Session-Expires: 1;refresher=nobody',
  'Min-SE: 4294967295',
  'RSeq: 1',
  'WWW-Authenticate: Digest realm="x", nonce="y"',
  'Via: SIP/2.0/UDP 10.0.0.50;branch=z9hG4bK-other',
  'Warning: 399',
  '--chaos',
  '--chaos--',
  ' folded',
  '',
]

/** What may stand in the place of a key (RFC 4568 sections 6 and 9.2). */
const cryptoBank = [
  '1 AES_CM_128_HMAC_SHA1_80 inline:',
  '1 AES_CM_128_HMAC_SHA1_80 inline:short',
  `1 AES_CM_128_HMAC_SHA1_80 inline:${'A'.repeat(40)}`,
  `1 AES_CM_128_HMAC_SHA1_80 inline:${'A'.repeat(36)}`,
  `1 AES_CM_128_HMAC_SHA1_80 inline:${'A'.repeat(60)}`,
  `2 AEAD_AES_256_GCM inline:${'A'.repeat(40)}`,
  `1 AES_CM_128_HMAC_SHA1_32 inline:${'A'.repeat(40)}`,
  `2 AES_CM_128_HMAC_SHA1_80 inline:${'A'.repeat(40)}`,
  `1 AES_CM_128_HMAC_SHA1_80 inline:${'A'.repeat(40)}|2^99|1:129`,
  `1 AES_CM_128_HMAC_SHA1_80 inline:${'A'.repeat(40)}|2^20|1:4;inline:${'B'.repeat(40)}|2^20|2:4`,
  `1 AES_CM_128_HMAC_SHA1_80 inline:${'A'.repeat(40)} UNENCRYPTED_SRTP KDR=99`,
  `1 AES_CM_128_HMAC_SHA1_80 inline:${'A'.repeat(4000)}`,
  `1 AEAD_AES_256_GCM inline:${'A'.repeat(40)}`,
  `0000000000001 F8_128_HMAC_SHA1_80 uri:https://10.0.0.50/key`,
  '-1 NULL',
  '',
]

const pick = <Item>(items: readonly Item[], random: Ids): Item => items[random.integer(Math.max(1, items.length))]!
const place = (lines: readonly string[], random: Ids): number => random.integer(Math.max(1, lines.length))

const mutations: readonly Mutation[] = [
  (lines, random) => void lines.splice(place(lines, random), 1),
  (lines, random) => {
    const at = place(lines, random)
    lines.splice(at, 0, lines[at] ?? '')
  },
  (lines, random) => {
    const [a, b] = [place(lines, random), place(lines, random)]
    const moved = lines[a] ?? ''
    lines[a] = lines[b] ?? ''
    lines[b] = moved
  },
  (lines, random) => void lines.splice(place(lines, random), 0, pick(lineBank, random)),
  (lines, random) => {
    lines[place(lines, random)] = pick(lineBank, random)
  },
  (lines, random) => {
    const at = place(lines, random)
    const line = lines[at] ?? ''
    const cut = random.integer(line.length + 1)
    lines[at] = line.slice(0, cut) + pick(fragments, random) + line.slice(cut)
  },
  (lines, random) => {
    const at = place(lines, random)
    lines[at] = (lines[at] ?? '').replace(/\d+/, pick(numbers, random))
  },
  (lines, random) => void lines.splice(place(lines, random)),
  (lines, random) => {
    const keys = lines.flatMap((line, at) => (line.startsWith('a=crypto:') ? [at] : []))
    const at = pick(keys, random)
    if (at !== undefined) lines[at] = `a=crypto:${pick(cryptoBank, random)}`
  },
  (lines, random) => {
    const keys = lines.filter((line) => line.startsWith('a=crypto:'))
    if (keys.length > 0) lines.push(pick(keys, random))
  },
  (lines, random) => {
    const streams = lines.flatMap((line, at) => (line.startsWith('m=') ? [at] : []))
    const at = pick(streams, random)
    if (at !== undefined)
      lines[at] = lines[at]!.replace(/ RTP\/\w+ /, ` RTP/${pick(['AVP', 'SAVP', 'SAVPF', 'AVPF'], random)} `)
  },
  (lines, random) => {
    lines[0] = (lines[0] ?? '').replace(/^(SIP\/2\.0) \d+/, `$1 ${random.integer(700)}`)
  },
  (lines, random) => {
    const at = place(lines, random)
    const line = [...(lines[at] ?? '')]
    for (let flips = 1 + random.integer(4); flips > 0 && line.length > 0; flips--) {
      line[random.integer(line.length)] = String.fromCharCode(random.integer(256))
    }
    lines[at] = line.join('')
  },
]

/** What goes out instead of a message: itself, itself changed, itself twice, or nothing. */
export function mangled(bytes: Uint8Array, random: Ids): Uint8Array[] {
  if (random.integer(3) === 0) return [bytes]
  if (random.integer(20) === 0) return []
  const lines = new TextDecoder('latin1').decode(bytes).split('\r\n')
  for (let count = 1 + random.integer(3); count > 0; count--) pick(mutations, random)(lines, random)
  let text = lines.join('\r\n')
  // Mostly with a right length, or nothing behind the head would ever be read.
  if (random.integer(4) > 0) text = withLength(text)
  const changed = Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff)
  return random.integer(8) === 0 ? [changed, bytes] : [changed]
}

function withLength(text: string): string {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return text
  return text.replace(/^Content-Length: .*$/m, `Content-Length: ${text.length - end - 4}`)
}
