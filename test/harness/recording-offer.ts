// Bodies that a recording client sends, for tests of the recorder.

import { seededIds } from '#kernel'
import type { SipBody } from '#sip'
import { buildMultipart } from '#siprec'

const text = new TextEncoder()

/** One m-line of an offer. */
export interface Line {
  kind?: string
  port?: number
  protocol?: string
  formats?: string
  attributes?: string[]
  connection?: string
}

/** An offer of a recording client; by default two PCMU streams with labels 1 and 2. */
export function offer(
  lines: Line[] = [{ attributes: ['sendonly', 'label:1'] }, { attributes: ['sendonly', 'label:2'] }],
  version = 1,
): SipBody {
  const sdp = [
    'v=0',
    `o=- 77 ${version} IN IP4 127.0.0.1`,
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    ...lines.flatMap(
      ({ kind = 'audio', port = 40_000, protocol = 'RTP/AVP', formats = '0', attributes = [], connection }) => [
        `m=${kind} ${port} ${protocol} ${formats}`,
        ...(connection === undefined ? [] : [`c=IN IP4 ${connection}`]),
        ...attributes.map((attribute) => `a=${attribute}`),
      ],
    ),
    '',
  ].join('\r\n')
  return { contentType: 'application/sdp', content: text.encode(sdp) }
}

/** A complete or partial document that names the speaker of label 1. */
export function metadata(name: string, dataMode = 'complete'): Uint8Array {
  return text.encode(`<?xml version="1.0" encoding="UTF-8"?>
<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>${dataMode}</datamode>
<session session_id="hVpd7YQgRW2nD22h7q60JQ=="></session>
<participant participant_id="srfBElmCRp2QB23b7Mpk0w=="><nameID aor="sip:bob@example.test"><name>${name}</name></nameID></participant>
<stream stream_id="UAAMm5GRQKSCMVvLyl4rFw==" session_id="hVpd7YQgRW2nD22h7q60JQ=="><label>1</label></stream>
<participantstreamassoc participant_id="srfBElmCRp2QB23b7Mpk0w=="><send>UAAMm5GRQKSCMVvLyl4rFw==</send></participantstreamassoc>
</recording>`)
}

/** A document as `metadata`, whose session stops: with it the speaker leaves. */
export function lastMetadata(name: string): Uint8Array {
  const stop = '<stop-time>2026-03-02T11:00:00Z</stop-time>'
  const leaves = '<disassociate-time>2026-03-02T11:00:00Z</disassociate-time>'
  const before = new TextDecoder().decode(metadata(name))
  return text.encode(
    before.replace('</session>', `${stop}</session>`).replace('</participantstreamassoc>', `${leaves}$&`),
  )
}

/** A complete document of two streams and two parties; by label, what the party there does with its stream, if anything is said of it. */
export function parties(flows: Readonly<Record<number, 'send' | 'recv' | 'left'>>): Uint8Array {
  const ids = [
    ['AQAAAAAAAAAAAAAAAAAAAA==', 'AQAAAAAAAAAAAAAAAAAABQ=='],
    ['AgAAAAAAAAAAAAAAAAAAAA==', 'AQAAAAAAAAAAAAAAAAAABg=='],
  ] as const
  const session = 'AAAAAAAAAAAAAAAAAAAAAA=='
  const elements = ids.flatMap(([party, stream], at) => {
    const flow = flows[at + 1]
    const list = flow === 'recv' ? 'recv' : 'send'
    const end = flow === 'left' ? '<disassociate-time>2026-03-02T11:00:00Z</disassociate-time>' : ''
    return [
      `<participant participant_id="${party}"><nameID aor="sip:${at + 1}@example.test"/></participant>`,
      `<stream stream_id="${stream}" session_id="${session}"><label>${at + 1}</label></stream>`,
      ...(flow === undefined
        ? []
        : [
            `<participantstreamassoc participant_id="${party}"><${list}>${stream}</${list}>${end}</participantstreamassoc>`,
          ]),
    ]
  })
  return text.encode(
    `<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode><session session_id="${session}"/>${elements.join('')}</recording>`,
  )
}

/** SDP and metadata in one body. */
export function withMetadata(sdp: SipBody, document: Uint8Array): SipBody {
  const parts = [
    sdp,
    { contentType: 'application/rs-metadata+xml', disposition: 'recording-session', content: document },
  ]
  return buildMultipart(parts, seededIds(4))
}

/** A body of metadata alone. */
export const bareMetadata = (name: string, mode?: string): SipBody => ({
  contentType: 'application/rs-metadata+xml',
  disposition: 'recording-session',
  content: metadata(name, mode),
})
