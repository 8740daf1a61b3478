// Configuration of what both roles have: SIP listeners, TLS, media addresses, lists of hosts.

import { type TSchema, Type } from 'typebox'
import { srtpSuites } from '#rtp'
import { HOST_ENTRY, HOSTS, integer, ipAddress, LOOPBACK, role, section, text } from './config-leaf.ts'

const listener = Type.Object(
  {
    transport: Type.Enum(['udp', 'tcp', 'tls'], { description: 'What is spoken there: udp, tcp or tls.' }),
    host: ipAddress({ default: LOOPBACK, description: 'IP address to bind to; an any-address needs advertisedHost.' }),
    port: Type.Integer({ minimum: 0, maximum: 65_535, description: 'Port; 0 lets the system choose.' }),
  },
  { additionalProperties: false },
)

const certificates = {
  certFile: text({ description: 'PEM file with our certificate and its chain, relative to the working directory.' }),
  keyFile: text({ description: 'PEM file with the private key of that certificate.' }),
  caFile: Type.Optional(
    text({ description: 'PEM file with the authorities that peers must be signed by; the public ones when left out.' }),
  ),
  allowWildcard: Type.Boolean({
    default: false,
    description: 'Let *.example.com in the certificate of a server stand for one label, against RFC 5922 section 7.2.',
  }),
}

const tls = {
  ...certificates,
  verifyClient: Type.Boolean({
    default: false,
    description: 'Refuse clients without a certificate signed by caFile (mutual TLS). Servers are always verified.',
  }),
}

const identity = Type.Object(
  { name: text({ description: 'Name, for tlsIdentity of recorder profiles.' }), ...certificates },
  { additionalProperties: false },
)

/** TLS of a role. */
export const roleTls = role('Certificates for TLS listeners and for the TLS connections that we open.', tls)

/** TLS of a role that shows some of its peers other certificates. */
export const manyTls = role('Certificates for TLS listeners and for the TLS connections that we open.', {
  ...tls,
  identities: Type.Array(identity, {
    maxItems: 100,
    default: [],
    description: 'Other certificates, shown to the recorders whose profile names them.',
  }),
})

/** SIP of one role. */
export function sip<T extends TSchema>(port: number, tls: T) {
  return section('SIP signalling.', {
    listen: Type.Array(listener, {
      minItems: 1,
      maxItems: 16,
      default: [
        { transport: 'udp', host: LOOPBACK, port },
        { transport: 'tcp', host: LOOPBACK, port },
      ],
      description: 'Where SIP is listened for; requests are sent over the same transports.',
    }),
    advertisedHost: Type.Optional(
      text({ description: 'Host for Via and Contact instead of the bound address, as behind NAT.' }),
    ),
    sessionTimerSeconds: Type.Optional(
      Type.Integer({
        minimum: 90,
        maximum: 86_400,
        description:
          'Session-Expires that is asked for in calls, in seconds (RFC 4028); when left out only what peers ask for is kept.',
      }),
    ),
    tls,
  })
}

/** Which SRTP keys may be exchanged by one role. */
export function srtpKeys(suites: string) {
  return {
    suites: Type.Array(Type.Enum([...srtpSuites]), { maxItems: 4, default: [...srtpSuites], description: suites }),
    keysWithoutTls: Type.Boolean({
      default: false,
      description: 'Exchange keys with peers whose signalling is not TLS too, so that whoever reads it can listen.',
    }),
  }
}

/** Addresses and ports of RTP. */
export function mediaAddress(portMin: number, portMax: number) {
  return {
    host: ipAddress({ default: LOOPBACK, description: 'IP address that RTP is sent from and received on.' }),
    advertisedHost: Type.Optional(
      ipAddress({ description: 'IP address for SDP instead of the bound one, as behind NAT.' }),
    ),
    portMin: integer('First port for RTP and RTCP; the range is best kept out of 32768-60999.', portMin, 1024, 65_534),
    portMax: integer('Last port for RTP and RTCP; each stream takes two.', portMax, 1025, 65_535),
  }
}

/** A list of source addresses. */
export function sources(description: string) {
  return Type.Array(text({ expects: 'an IP address or a network such as 10.0.0.0/8' }), {
    ...HOSTS,
    description,
  })
}

/** A list of hosts, domains and networks. */
export function destinations(description: string) {
  return Type.Array(text({ expects: HOST_ENTRY }), {
    ...HOSTS,
    description,
  })
}
