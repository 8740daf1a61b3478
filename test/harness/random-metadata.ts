// Random metadata documents that are legal by the schema and whose texts survive a round trip.

import fc from 'fast-check'
import type { RecordingMetadata, XmlElement } from '#siprec'

/** Text that XML can carry, trimmed and not empty. */
export const xmlText: fc.Arbitrary<string> = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .map((text) => text.trim())
  .filter((text) => text !== '')

const id = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64'))
const time = fc
  .date({ min: new Date(0), max: new Date('2100-01-01T00:00:00Z'), noInvalidDate: true })
  .map((date) => date.toISOString())
const interval = { associateTime: time, disassociateTime: time }
const foreign: fc.Arbitrary<XmlElement> = fc.letrec<{ element: XmlElement }>((tie) => ({
  element: fc.record(
    {
      namespace: fc.constantFrom('urn:example:one', 'urn:example:two'),
      name: fc.stringMatching(/^[a-z][a-z0-9.-]{0,8}$/),
      prefix: fc.constantFrom('p', 'q'),
      attributes: fc
        .record({ name: fc.constantFrom('a', 'b'), value: fc.string({ unit: 'grapheme', maxLength: 9 }) })
        .map((attribute) => [attribute]),
      children: fc.oneof(
        { maxDepth: 3 },
        fc.constant([]),
        xmlText.map((text) => [text]),
        fc.array(tie('element'), { maxLength: 3 }),
      ),
    },
    { requiredKeys: ['namespace', 'name', 'attributes', 'children'] },
  ),
})).element
const extensions = fc.array(foreign, { maxLength: 2 })
const some = <Item>(item: fc.Arbitrary<Item>): fc.Arbitrary<Item[]> => fc.array(item, { maxLength: 3 })

/** A random document. */
export const randomMetadata: fc.Arbitrary<RecordingMetadata> = fc
  .record({
    dataMode: fc.constantFrom('complete' as const, 'partial' as const),
    groups: some(fc.record({ groupId: id, ...interval, extensions }, { requiredKeys: ['groupId', 'extensions'] })),
    sessions: some(
      fc.record(
        {
          sessionId: id,
          sipSessionIds: some(fc.stringMatching(/^[0-9a-f]{32};remote=[0-9a-f]{32}$/)),
          reasons: some(
            fc.record({
              protocol: fc.constantFrom('SIP', 'Q.850'),
              cause: fc.integer({ min: -32_768, max: 32_767 }),
              text: fc.oneof(fc.constant(''), xmlText),
            }),
          ),
          groupRef: id,
          startTime: time,
          stopTime: time,
          extensions,
        },
        { requiredKeys: ['sessionId', 'sipSessionIds', 'reasons', 'extensions'] },
      ),
    ),
    participants: some(
      fc.record({
        participantId: id,
        nameIds: fc.array(
          fc.record(
            { aor: fc.webUrl().map((url) => url.replace('http', 'sip')), name: xmlText },
            { requiredKeys: ['aor'] },
          ),
          { minLength: 1, maxLength: 3 },
        ),
        extensions,
      }),
    ),
    streams: some(
      fc.record(
        { streamId: id, sessionId: id, label: fc.nat(99).map(String), extensions },
        { requiredKeys: ['streamId', 'extensions'] },
      ),
    ),
    sessionRecordingAssocs: some(
      fc.record({ sessionId: id, ...interval, extensions }, { requiredKeys: ['sessionId', 'extensions'] }),
    ),
    participantSessionAssocs: some(
      fc.record(
        {
          participantId: id,
          sessionId: id,
          ...interval,
          params: some(fc.record({ name: xmlText, value: fc.string({ unit: 'grapheme', maxLength: 9 }) })),
          extensions,
        },
        { requiredKeys: ['participantId', 'sessionId', 'params', 'extensions'] },
      ),
    ),
    participantStreamAssocs: some(
      fc.record(
        { participantId: id, send: some(id), recv: some(id), ...interval, extensions },
        { requiredKeys: ['participantId', 'send', 'recv', 'extensions'] },
      ),
    ),
    extensions,
  })
  // Plain prototypes, as the reader makes them.
  .map((metadata) => JSON.parse(JSON.stringify(metadata)) as RecordingMetadata)
