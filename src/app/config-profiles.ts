// Configuration of recorder profiles: what differs from recorder to recorder. A key that is left out has the value of the preset.

import { Type } from 'typebox'
import { digestKeys, HOST_ENTRY, text } from './config-leaf.ts'

const optional = Type.Optional

/** A section whose keys have no defaults of their own. */
function part<P extends Parameters<typeof Type.Object>[0]>(description: string, properties: P) {
  return optional(Type.Object(properties, { additionalProperties: false, description }))
}

const credentials = part('Digest credentials, for a recorder that asks for them.', digestKeys)

const metadata = part('How metadata is written.', {
  mediaType: optional(
    Type.Enum(['rfc', 'legacy'], {
      description: 'rfc: application/rs-metadata+xml (RFC 7866). legacy: application/rs-metadata, as in the drafts.',
    }),
  ),
  dialect: optional(
    Type.Enum(['rfc7865', 'smarttap'], {
      description: 'rfc7865, or the vocabulary of the drafts that older AudioCodes and SmartTAP recorders read.',
    }),
  ),
  jambonzWrapper: optional(
    Type.Boolean({
      description:
        'Put extension elements into the wrapper that jambonz uses, which is not valid by the RFC 7865 schema.',
    }),
  ),
  extensionNamespace: optional(
    text({ description: "Namespace URI of a call's own extension data instead of the gateway's." }),
  ),
  omit: optional(
    Type.Array(Type.Enum(['names', 'numbers']), {
      maxItems: 2,
      uniqueItems: true,
      description:
        'What the recorder is not told of people: names, and numbers and other addresses, in whose place stands sip:anonymous@anonymous.invalid.',
    }),
  ),
  updates: optional(
    Type.Enum(['complete', 'partial'], {
      description: 'Documents during a call tell everything, or what has changed.',
    }),
  ),
})

const media = part('What is offered of the media.', {
  streams: optional(
    Type.Enum(['separate', 'mixed'], { description: 'A stream for each party, or one with all of them.' }),
  ),
  mixFallback: optional(
    Type.Boolean({
      description: 'Offer one stream with all of them to a recorder that refuses separate streams, or takes only some.',
    }),
  ),
  side: optional(Type.Enum(['both', 'caller', 'far'], { description: 'Whose voice is recorded.' })),
  codecs: optional(
    Type.Enum(['as-call', 'g711'], {
      description: 'as-call: what the call speaks. g711: G.711 only, converted if the call speaks something else.',
    }),
  ),
  video: optional(Type.Boolean({ description: 'Offer the video of calls that have it.' })),
  srtp: optional(
    Type.Array(
      Type.Enum(['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32', 'AEAD_AES_128_GCM', 'AEAD_AES_256_GCM']),
      { maxItems: 4, description: 'SRTP suites, best first; an empty list is plain RTP.' },
    ),
  ),
  rtcpMux: optional(
    Type.Boolean({
      description:
        'Offer RTCP on the port of the RTP (a=rtcp-mux), which keeps the way through a NAT open in pauses as well.',
    }),
  ),
  maskDtmf: optional(Type.Boolean({ description: 'Leave digits out of the recording.' })),
})

const profile = Type.Object(
  {
    name: text({ description: 'Name, for logs and the API.' }),
    match: Type.Array(text({ expects: HOST_ENTRY }), {
      maxItems: 1000,
      default: [],
      description: 'Hosts, domains such as .example.com and networks of the recorders; every recorder when empty.',
    }),
    preset: Type.Enum(['rfc', 'jambonz', 'smarttap', 'google', 'chime'], {
      default: 'rfc',
      description: 'What the keys below have when they are left out; docs/recorder-profiles.md says what is in each.',
    }),
    transport: optional(
      Type.Enum(['udp', 'tcp', 'tls'], {
        description: 'Transport for a sip: URI that names none; by DNS when left out.',
      }),
    ),
    tlsIdentity: optional(
      text({ description: 'Name of the certificates of sip.tls.identities to show; those of sip.tls when left out.' }),
    ),
    credentials,
    headers: optional(
      Type.Record(Type.String(), Type.String({ maxLength: 1024, pattern: '^[^\\x00-\\x1f\\x7f]*$' }), {
        description:
          'Headers of the INVITE, such as User-to-User; {recordingId}, {callId} and {sessionId} stand for those of the recording.',
        expects: 'header names with their values, without control characters',
      }),
    ),
    metadata,
    media,
    sessionExpiresSeconds: optional(
      Type.Integer({
        minimum: 90,
        maximum: 86_400,
        description: 'Session timer that is asked for (RFC 4028), in seconds; none when left out.',
      }),
    ),
    trustedNetwork: optional(
      Type.Boolean({
        description: 'The way there is trusted: protected calls may be recorded with less protection than their own.',
      }),
    ),
    idleSessionMs: optional(
      Type.Integer({
        minimum: 1_000,
        maximum: 86_400_000,
        description:
          'A recording session stays up for so long after a call, in milliseconds, and the next call is put into it; one for each call when left out.',
      }),
    ),
    callsPerSession: optional(
      Type.Integer({
        minimum: 1,
        maximum: 100,
        description: 'So many calls at a time are put into one recording session; one when left out.',
      }),
    ),
    lostAfterSilenceMs: optional(
      Type.Integer({
        minimum: 10_000,
        maximum: 600_000,
        description: 'No RTCP of the recorder for so long counts as loss of it, in milliseconds; never when left out.',
      }),
    ),
    lostWhenUnanswered: optional(
      Type.Boolean({
        description:
          'Ask a recorder of which no RTCP comes by OPTIONS within its session, and count it as lost when it is silent for 12 s though it sent RTCP, or answered such a question, before; true when left out.',
      }),
    ),
    lostAfterProbes: optional(
      Type.Integer({
        minimum: 1,
        maximum: 100,
        description:
          'So many OPTIONS in a row that a recorder of recorders or failover leaves unanswered, having answered before, count as loss of it for the sessions that are up; never when left out.',
      }),
    ),
  },
  { additionalProperties: false },
)

/** Recorder profiles, in the order in which they are looked at. */
export const profiles = Type.Array(profile, {
  maxItems: 100,
  default: [],
  description: 'What recorders take and want: the first profile that matches the host of a recorder holds for it.',
})
