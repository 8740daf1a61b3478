// The configuration as one schema: types, defaults, limits, and the sentence that the reference page shows for each key.

import { Type } from 'typebox'

/** What a leaf says about itself beyond JSON Schema. */
interface Leaf {
  /** What a reader of an error message is told to write. */
  readonly expects?: string
  readonly description?: string
  readonly default?: unknown
  readonly pattern?: string
}

type Properties = Parameters<typeof Type.Object>[0]

/** A section that always exists; its keys have defaults. */
function section<P extends Properties>(description: string, properties: P) {
  return Type.Object(properties, { additionalProperties: false, default: {}, description })
}

/** A section that exists only when it is written. */
function role<P extends Properties>(description: string, properties: P) {
  return Type.Optional(Type.Object(properties, { additionalProperties: false, description }))
}

function integer(description: string, standard: number, minimum: number, maximum: number) {
  return Type.Integer({ description, default: standard, minimum, maximum })
}

function text(leaf: Leaf) {
  return Type.String({ minLength: 1, maxLength: 1024, ...leaf })
}

function ipAddress(leaf: Leaf) {
  const families = [Type.String({ format: 'ipv4' }), Type.String({ format: 'ipv6' })]
  return Type.Union(families, { expects: 'an IP address', ...leaf })
}

const HOSTS = { maxItems: 1000, default: [] }
const LOOPBACK = '127.0.0.1'

const listener = Type.Object(
  {
    transport: Type.Enum(['udp', 'tcp', 'tls'], { description: 'What is spoken there: udp, tcp or tls.' }),
    host: ipAddress({ default: LOOPBACK, description: 'IP address to bind to; an any-address needs advertisedHost.' }),
    port: Type.Integer({ minimum: 0, maximum: 65_535, description: 'Port; 0 lets the system choose.' }),
  },
  { additionalProperties: false },
)

const tls = role('Certificates for TLS listeners and for the TLS connections that we open.', {
  certFile: text({ description: 'PEM file with our certificate and its chain, relative to the working directory.' }),
  keyFile: text({ description: 'PEM file with the private key of that certificate.' }),
  caFile: Type.Optional(
    text({ description: 'PEM file with the authorities that peers must be signed by; the public ones when left out.' }),
  ),
  verifyClient: Type.Boolean({
    default: false,
    description: 'Refuse clients without a certificate signed by caFile (mutual TLS). Servers are always verified.',
  }),
})

function sip(port: number) {
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
    tls,
  })
}

function mediaAddress(portMin: number, portMax: number) {
  return {
    host: ipAddress({ default: LOOPBACK, description: 'IP address that RTP is sent from and received on.' }),
    advertisedHost: Type.Optional(
      ipAddress({ description: 'IP address for SDP instead of the bound one, as behind NAT.' }),
    ),
    portMin: integer('First port for RTP and RTCP; the range is best kept out of 32768-60999.', portMin, 1024, 65_534),
    portMax: integer('Last port for RTP and RTCP; each stream takes two.', portMax, 1025, 65_535),
  }
}

function sources(description: string) {
  return Type.Array(text({ expects: 'an IP address or a network such as 10.0.0.0/8' }), {
    ...HOSTS,
    description,
  })
}

function destinations(description: string) {
  return Type.Array(text({ expects: 'a host, a domain such as .example.com or a network' }), {
    ...HOSTS,
    description,
  })
}

const route = Type.Object(
  {
    match: text({
      description: 'User part that is dialled, or re: and a regular expression that all of it must match.',
      expects: 'a user part, or re: and a regular expression',
    }),
    flow: Type.Optional(
      text({ description: 'File of the flow that takes the call, relative to the working directory.' }),
    ),
    input: Type.Optional(
      Type.Record(Type.String(), Type.String({ maxLength: 1024 }), {
        description: 'Texts for the flow, which finds them as input.NAME.',
      }),
    ),
    callee: Type.Optional(
      text({
        description: 'SIP URI that the call is connected to; {user} stands for the user part dialled.',
        expects: 'a sip: or sips: URI',
        pattern: '^sips?:',
      }),
    ),
    ringTimeoutMs: Type.Optional(
      Type.Integer({
        minimum: 1000,
        maximum: 600_000,
        description: 'How long the callee may ring, in milliseconds; 60000 when left out.',
      }),
    ),
  },
  { additionalProperties: false },
)

const gateway = role('The gateway: calls, call flows and the recording client; off when left out.', {
  sip: sip(5060),
  media: section('RTP of calls and of their copies.', {
    ...mediaAddress(20_000, 29_999),
    workers: integer('Number of threads that carry RTP.', 1, 1, 64),
    silentAfterMs: integer(
      'A party that sends no media for so long though it should is taken for gone, in milliseconds.',
      60_000,
      1000,
      3_600_000,
    ),
  }),
  sources: sources(
    'Who may send SIP; empty means anybody, which is accepted only while every listener has a loopback or private address.',
  ),
  routes: Type.Array(route, {
    maxItems: 10_000,
    default: [],
    description: 'Where calls go: the first rule that matches; each has either flow or callee.',
  }),
  destinations: section('Where calls and recordings may go; nowhere unless listed.', {
    dial: destinations('Hosts that calls may be connected to.'),
    record: destinations('Hosts that recordings may be sent to.'),
  }),
  info: section('Recording control by SIP INFO.', {
    trustedPeers: sources('Addresses that may control recordings by INFO.'),
  }),
  limits: section('Limits that keep the machine usable.', {
    activeCalls: integer('Calls at a time; more are answered 503. Recordings do not count.', 100, 1, 100_000),
  }),
  recording: section('The recording client.', {
    recorders: Type.Array(text({ expects: 'a sip: or sips: URI', pattern: '^sips?:' }), {
      maxItems: 16,
      default: [],
      description: 'SIP URIs of the recorders that flows find as input.recorders.',
    }),
    answerDeadlineMs: integer('A start that no recorder accepts by then fails, in milliseconds.', 5000, 100, 20_000),
    lateAnswerMs: integer(
      'Recorders may accept until this long after the start, in milliseconds.',
      32_000,
      1000,
      64_000,
    ),
    firstResponseMs: integer(
      'Silence of a recorder after which its next address is tried, in milliseconds.',
      1500,
      100,
      20_000,
    ),
    jambonzWrapper: Type.Boolean({
      default: false,
      description:
        'Put extension elements into the wrapper that jambonz uses, which is not valid by the RFC 7865 schema.',
    }),
  }),
})

const recorder = role('The recorder (SRS): takes recording sessions and stores them; off when left out.', {
  sip: sip(5080),
  media: section('RTP from recording clients.', mediaAddress(10_000, 19_999)),
  sources: sources(
    'Who may send recordings; empty means anybody, which is accepted only while every listener has a loopback or private address.',
  ),
  store: section('Recordings on disk.', {
    folder: text({
      default: './recordings',
      description: 'Folder of the recordings, relative to the working directory.',
    }),
    keepDigits: Type.Boolean({
      default: false,
      description: 'Keep the digits that were dialled, not only when they were dialled.',
    }),
  }),
})

/** Schema of the whole file. */
export const configSchema = Type.Object(
  {
    log: section('The log, one JSON object per line on standard output.', {
      level: Type.Enum(['debug', 'info', 'warn', 'error', 'silent'], {
        default: 'info',
        description: 'Least severity that is logged: debug, info, warn, error or silent.',
      }),
    }),
    http: role('The HTTP API and console; off when left out.', {
      host: ipAddress({ default: LOOPBACK, description: 'IP address to bind to.' }),
      port: integer('Port; 0 lets the system choose.', 8080, 0, 65_535),
    }),
    dns: section('Name resolution.', {
      servers: Type.Array(text({ expects: 'address or address:port' }), {
        maxItems: 8,
        default: [],
        description: "Name servers as address or address:port; the system's own when empty.",
      }),
    }),
    gateway,
    recorder,
  },
  { additionalProperties: false },
)

/** The configuration with every default filled in. */
export type Config = Readonly<Type.Static<typeof configSchema>>
/** Settings of the SIP signalling of one role. */
export type SipConfig = NonNullable<Config['gateway']>['sip']
/** Settings of the gateway role. */
export type GatewayConfig = NonNullable<Config['gateway']>
/** Settings of the recorder role. */
export type RecorderConfig = NonNullable<Config['recorder']>
