// Recordings in types: what a list says of each, and what there is to know of one. Times are ISO 8601, UTC; `…Ms` counts from the start of the recording.

import { type Static, Type } from 'typebox'

const closed = { additionalProperties: false }
const says = (description: string) => ({ description })

const act = Type.Object({ at: Type.String(), actor: Type.String(), reason: Type.String() }, closed)

/** Someone who takes or took part. */
export const participant = Type.Object(
  {
    participantId: Type.Optional(Type.String()),
    aor: Type.Optional(Type.String()),
    name: Type.Optional(Type.String()),
  },
  closed,
)

const summaryFields = {
  recordingId: Type.String(),
  state: Type.String(says('`receiving`, `published` or `no-audio`')),
  cause: Type.Optional(Type.String(says('why there is no audio'))),
  isRecovered: Type.Boolean(says('the recorder died meanwhile')),
  startedAt: Type.String(),
  endedAt: Type.Optional(Type.String()),
  durationMs: Type.Number(says('0 while it is received')),
  callRecordingId: Type.Optional(Type.String(says('Call Recording ID given by the call flow'))),
  sipCallId: Type.String(says('Call-ID of the recording session')),
  participants: Type.Array(participant),
  hasAudio: Type.Boolean(says('false: nothing can be played')),
  streamCount: Type.Integer(),
  packets: Type.Integer(),
  warningCount: Type.Integer(),
  sizeBytes: Type.Optional(Type.Integer(says('of all its files'))),
  tags: Type.Array(Type.String()),
  isHeld: Type.Boolean(says('a legal hold keeps it from being deleted')),
  upload: Type.String(says('`none`, `waiting`, `uploading`, `failed`, `verified` or `local-removed`')),
  vendor: Type.Optional(Type.String(says('product of the recording client, or `unknown`'))),
  verdict: Type.Optional(Type.String(says('`clean`, `tolerated` or `violations`'))),
  custom: Type.Record(Type.String(), Type.String(), says("values out of the metadata's extension data")),
  deletion: Type.Optional(act),
}

/** A recording in a list. */
export const recordingSummary = Type.Object(summaryFields, closed)

/** A part of the recordings that match, newest first. */
export const recordingPage = Type.Object(
  {
    total: Type.Optional(Type.Integer(says('how many match; counting ends at 10,000. Absent behind `after`'))),
    isTotalExact: Type.Optional(Type.Boolean(says('false: there are more than `total`'))),
    offset: Type.Integer(),
    limit: Type.Integer(),
    next: Type.Optional(Type.String(says('`after` of the next page; absent on the last'))),
    items: Type.Array(recordingSummary),
  },
  closed,
)

const facetValues = Type.Array(Type.Object({ value: Type.String(), count: Type.Integer() }, closed))

/** What the recordings that match have in common. */
export const facetsView = Type.Object(
  {
    counted: Type.Integer(says('recordings that were counted')),
    isComplete: Type.Boolean(says('false: only the newest `counted` of those that match')),
    kinds: Type.Object(
      {
        state: Type.Array(facetValues.items, says('with its cause, as `no-audio.no-rtp`')),
        store: facetValues,
        vendor: facetValues,
        verdict: facetValues,
        codec: facetValues,
        tag: facetValues,
        upload: facetValues,
        held: Type.Array(facetValues.items, says('`yes` or `no`')),
        day: Type.Array(facetValues.items, says('UTC; the newest 31')),
        caller: Type.Array(facetValues.items, says('where the metadata tells who called')),
        called: facetValues,
      },
      { ...closed, ...says('the most frequent 10 of each') },
    ),
    fields: Type.Array(
      Type.Object({ name: Type.String(), count: Type.Integer(), values: facetValues }, closed),
      says("names of the metadata's extension data, with the most frequent values of each"),
    ),
  },
  closed,
)

/** A stretch without audio. */
export const gap = Type.Object({ fromMs: Type.Number(), toMs: Type.Number(), cause: Type.String() }, closed)

/** A pause as the socket saw it. */
export const pause = Type.Object(
  {
    fromMs: Type.Number(),
    toMs: Type.Optional(Type.Number()),
    lastSequence: Type.Optional(Type.Integer(says('RTP sequence number of the last packet before it'))),
    packets: Type.Integer(says('that came all the same')),
  },
  closed,
)

/** Something that was wrong with the recording. */
export const alarm = Type.Object(
  {
    code: Type.String(),
    severity: Type.String(says('`error`: audio is missing or spoilt; `warning`: it may be')),
    channel: Type.Optional(Type.Integer()),
    label: Type.Optional(Type.String()),
    cause: Type.String(says('likely cause, in words')),
    fix: Type.String(says('what helps')),
    fromMs: Type.Number(),
    toMs: Type.Optional(Type.Number(says('absent: it stood to the end'))),
  },
  closed,
)

const totals = Type.Object(
  {
    packets: Type.Integer(),
    bytes: Type.Integer(),
    lost: Type.Integer(),
    late: Type.Integer(),
    duplicates: Type.Integer(),
    wrongSource: Type.Integer(says('not from the address of the stream')),
    refused: Type.Integer(says('no RTP of a negotiated codec')),
    discarded: Type.Optional(Type.Integer(says('kept out by a pause of the recorder'))),
    firstPacketMs: Type.Optional(Type.Number()),
    lastPacketMs: Type.Optional(Type.Number()),
  },
  closed,
)

const stream = Type.Object(
  {
    channel: Type.Integer(says('number of the stream; those of audio, in this order, are the channels of the audio')),
    kind: Type.String(says('`audio`, `video` or `text`; what is no audio is kept as it came')),
    label: Type.Optional(Type.String()),
    speakers: Type.Array(Type.String()),
    speakerEvidence: Type.Optional(Type.String(says('`stated`, `inferred`, `unknown` or `conflict`'))),
    codecs: Type.Array(
      Type.Object(
        { encoding: Type.String(), startMs: Type.Number(), bytes: Type.Integer(), isDecoded: Type.Boolean() },
        closed,
      ),
    ),
    gaps: Type.Array(gap, says('the first 10,000')),
    unlistedMs: Type.Optional(Type.Number(says('of the gaps behind those, which are in the sums only'))),
    events: Type.Array(
      Type.Object(
        {
          atMs: Type.Number(),
          durationMs: Type.Number(),
          digit: Type.Optional(Type.String(says('only where the recorder is told to keep digits'))),
        },
        closed,
      ),
    ),
    pauses: Type.Array(pause),
    account: Type.Optional(
      Type.Object(
        { audioMs: Type.Number(), missingMs: Type.Record(Type.String(), Type.Number()) },
        { ...closed, ...says('together the duration') },
      ),
    ),
    clock: Type.Optional(
      Type.Object(
        { driftPpm: Type.Number(says("by which the sender's clock is faster")), correctedMs: Type.Number() },
        closed,
      ),
    ),
    totals,
  },
  closed,
)

const sip = Type.Object(
  {
    fromUri: Type.String(),
    toUri: Type.String(),
    requestUri: Type.String(),
    source: Type.String(says('address of the client')),
    transport: Type.String(),
    userAgent: Type.Optional(Type.String()),
    date: Type.Optional(Type.String()),
    endDate: Type.Optional(Type.String()),
    ended: Type.Optional(Type.String(says('why the recording session ended'))),
  },
  closed,
)

/** All that is known of one recording but its documents; a deleted one has only ids and times. */
export const recordingView = Type.Object(
  {
    ...summaryFields,
    sessionIds: Type.Array(Type.String()),
    groupIds: Type.Array(Type.String()),
    sip: Type.Optional(sip),
    streams: Type.Array(stream),
    alarms: Type.Array(alarm),
    holds: Type.Array(act),
    documents: Type.Integer(says('of metadata that came')),
    isMetadataInvalid: Type.Boolean(),
    formats: Type.Array(Type.String(), says('in which the audio is kept: `wav`, `flac`, `opus`')),
    warnings: Type.Array(Type.String()),
  },
  closed,
)

/** Path parameter of one recording; no separators, no leading dot. */
export const recordingParams = Type.Object(
  { recordingId: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$' }) },
  closed,
)

/** Which file of a recording is played, or which part of its WAV file. */
export const audioQuery = Type.Object(
  {
    format: Type.Optional(Type.Enum(['wav', 'flac', 'opus'], { description: '`wav` unless given' })),
    channel: Type.Optional(Type.Integer({ minimum: 0, maximum: 63, description: 'this channel alone, as WAV' })),
    fromMs: Type.Optional(Type.Number({ minimum: 0, description: 'from there, as WAV' })),
    toMs: Type.Optional(Type.Number({ minimum: 0, description: 'up to there, as WAV' })),
  },
  closed,
)

/** Which part of a wave form is drawn, and how finely. */
export const peaksQuery = Type.Object(
  {
    fromMs: Type.Optional(Type.Number({ minimum: 0 })),
    toMs: Type.Optional(Type.Number({ minimum: 0 })),
    buckets: Type.Integer({ minimum: 1, maximum: 10_000, default: 1000 }),
  },
  closed,
)

/** A wave form. */
export const peaksView = Type.Object(
  {
    channels: Type.Integer(),
    fromMs: Type.Number(),
    toMs: Type.Number(),
    /** By channel: least and greatest sample of each bucket in turn, -128 to 127; no more buckets than 20 ms make. */
    values: Type.Array(Type.Array(Type.Integer())),
  },
  closed,
)

const reason = Type.String({ minLength: 1, maxLength: 1_000, pattern: '\\S' })

/** Why something is done to a recording. */
export const reasonBody = Type.Object({ reason }, closed)

const tagList = Type.Array(Type.String({ minLength: 1, maxLength: 64, pattern: '\\S' }), { maxItems: 50, default: [] })

/** Tags to add and to remove; compared in lower case. */
export const tagBody = Type.Object({ add: tagList, remove: tagList }, closed)

/** See `recordingSummary`. */
export type RecordingSummary = Static<typeof recordingSummary>
/** See `facetsView`. */
export type FacetsView = Static<typeof facetsView>
/** See `recordingView`. */
export type RecordingView = Static<typeof recordingView>
/** See `audioQuery`. */
export type AudioQuery = Static<typeof audioQuery>
/** See `peaksQuery`. */
export type PeaksQuery = Static<typeof peaksQuery>
/** See `peaksView`. */
export type PeaksView = Static<typeof peaksView>
