// Configuration of the HTTP API and the console.

import { Type } from 'typebox'
import { passwordHashPattern, roleNames } from '#control'
import { integer, ipAddress, LOOPBACK, role, section, text } from './config-leaf.ts'
import { sources } from './config-network.ts'
import { oidc } from './config-oidc.ts'

const account = Type.Object(
  {
    name: text({ description: 'Name to sign in by.' }),
    passwordHash: text({
      pattern: passwordHashPattern,
      expects: 'what `siprec-gateway hash-password` prints',
      description: 'Hash of the password, as `siprec-gateway hash-password` prints it.',
    }),
    role: Type.Enum([...roleNames], { description: 'What the account may do: see docs/reference/access.md.' }),
  },
  { additionalProperties: false },
)

const webhook = Type.Object(
  {
    url: text({ pattern: '^https?://', expects: 'an http or https URL', description: 'Where events are posted to.' }),
    secretVariable: Type.Optional(
      text({ description: 'Name of the environment variable that holds the secret that events are signed with.' }),
    ),
    secretFile: Type.Optional(text({ description: 'File with the secret in its first line.' })),
    events: Type.Array(text({ expects: 'a type of event, or the beginning of one such as recording.*' }), {
      maxItems: 64,
      default: [],
      description: 'Types of event, or beginnings such as recording.*; all when empty: see docs/reference/events.md.',
    }),
    queue: integer('Events that may wait; one that finds no room is put aside.', 10_000, 1, 1_000_000),
    attempts: integer(
      'Attempts before an event is put aside, with doubling waits of 1 s to 1 h between them.',
      15,
      1,
      100,
    ),
    timeoutMs: integer('Milliseconds that the target has to answer.', 10_000, 100, 120_000),
  },
  { additionalProperties: false },
)

/** The section `http`. */
export const http = role('The HTTP API and console; off when left out.', {
  host: ipAddress({
    default: LOOPBACK,
    description:
      'IP address to bind to. On loopback, without accounts, nobody has to sign in; on any other address everybody has to.',
  }),
  port: integer('Port; 0 lets the system choose.', 8080, 0, 65_535),
  tls: role('HTTPS; plain HTTP when left out.', {
    certFile: text({ description: 'PEM file with our certificate and its chain.' }),
    keyFile: text({ description: 'PEM file with the private key of that certificate.' }),
  }),
  console: Type.Boolean({ default: true, description: 'Serve the web console at /.' }),
  folder: text({ default: './data/http', description: 'Folder of API tokens and of what else the API keeps.' }),
  accounts: Type.Array(account, { maxItems: 1_000, default: [], description: 'Who may sign in.' }),
  oidc,
  session: section('Sessions of those who have signed in.', {
    idleMinutes: integer('Minutes without a request after which a session ends.', 60, 1, 10_080),
    maxHours: integer('Hours after which a session ends in any case.', 12, 1, 720),
  }),
  rateLimits: section('What one may ask; nobody is limited where nobody has to sign in.', {
    perMinute: integer('Requests by one token or session in a minute.', 1_200, 10, 1_000_000),
    signInsPerMinute: integer('Attempts to sign in by one address in a minute.', 10, 1, 10_000),
  }),
  proxies: sources('Proxies in front of the API whose X-Forwarded-For, -Host and -Proto are believed.'),
  recordingControl: Type.Boolean({
    default: true,
    description: 'Let the API start, pause, resume and stop recordings; false refuses it to everybody.',
  }),
  trace: section('Messages and states of calls, for the page of a call and its support.', {
    keepMinutes: integer('Minutes that a call is kept after its end.', 10, 1, 1_440),
    mostCalls: integer(
      'Calls that are kept, those under way included; 0 keeps none and costs nothing.',
      200,
      0,
      10_000,
    ),
  }),
  audit: section('The audit log, in the folder `audit` of http.folder.', {
    maxFileBytes: integer('Size of a file after which another is begun.', 10_000_000, 1_000, 1_000_000_000),
    keepFiles: integer('Files that are kept; the oldest are removed.', 1_000, 1, 100_000),
  }),
  callRecords: section('Records of calls that are over, in the folder `calls` of http.folder.', {
    keepDays: integer('Days after the end of a call that its record is kept; 0 keeps none.', 30, 0, 3_650),
    maxFileBytes: integer(
      'Size of a file after which another is begun; each day begins another.',
      2_000_000,
      1_000,
      1_000_000_000,
    ),
    keepFiles: integer('Files that are kept; the oldest are removed.', 500, 1, 100_000),
  }),
  webhooks: Type.Array(webhook, { maxItems: 32, default: [], description: 'Who is told of events by HTTP.' }),
  events: section('Events over WebSocket, server-sent events and as a list.', {
    keep: integer('Latest events that are kept for those who come back.', 5_000, 100, 1_000_000),
  }),
})
