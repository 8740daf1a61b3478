// Recorders of SIPp during a call that changes: one that is slow to answer, and one that loses its state and asks for a snapshot.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseXml, type XmlElement } from '../foreign/xml-tree.ts'
import { bodiesIn, messagesIn, offersIn } from '../harness/sipp-log.ts'
import { openSippRecorder, type SippRecorder, untilHeard } from '../harness/sipp-recorder.ts'
import { joinTalk, openPhone, openTalk } from '../harness/talk.ts'
import { requireTools } from '../harness/tools.ts'
import { until } from '../harness/until.ts'

requireTools('sipp')

const DEADLINE_MS = 30_000

/** The INVITEs that came to a recorder. */
const invitesIn = async (recorder: SippRecorder) =>
  messagesIn(await recorder.messages()).filter(({ isReceived, message }) => isReceived && message.method === 'INVITE')

test('SRC-68: while a recorder has not answered a re-INVITE none follows, whatever happens; the state of then comes after its ACK', async (t) => {
  const recorder = await openSippRecorder(t, 'recorder-slow')
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', recorder.uri)).status, 200, await recorder.messages())
  await untilHeard(recorder)
  const paused = talk.rest('pause')
  await until('the pause is offered', async () => (await invitesIn(recorder)).length === 2, DEADLINE_MS)
  const changes = [talk.rest('resume'), talk.caller.hold(true).then(() => talk.caller.hold(false))]
  const changedAtMs = Date.now()
  await Promise.all([paused, ...changes])
  await until('the resumption is offered', async () => (await invitesIn(recorder)).length >= 3, DEADLINE_MS)
  const log = messagesIn(await recorder.messages())
  const answered = log.find(({ isReceived, message }) => !isReceived && message.body.includes('a=inactive'))
  assert.ok(
    answered !== undefined && changedAtMs < answered.atMs,
    'the changes were made while the pause had no answer',
  )
  await untilHeard(recorder)
  assert.equal((await talk.rest('stop')).status, 200)
  await recorder.succeeded()
  await talk.assertUndisturbed()
  await talk.end()
})

/** The elements of a document by what names them, each as a text (RFC 7865 section 6). */
function elementsOf(xml: string): Map<string, string> {
  const elements = parseXml(xml).children.filter(({ name }) => name !== 'datamode')
  return new Map(elements.map((element) => [nameOf(element), textOf(element)]))
}

/** What tells an element from others of its kind: its id, or those that it associates. */
function nameOf({ name, attributes }: XmlElement): string {
  const ids = name === 'stream' ? ['stream_id'] : ['group_id', 'session_id', 'participant_id']
  return [name, ...ids.map((id) => attributes.get(id) ?? '')].join(' ')
}

function textOf({ name, attributes, children, text }: XmlElement): string {
  const own = children.length === 0 ? text.trim() : ''
  return JSON.stringify([name, [...attributes].sort(), own, children.map(textOf)])
}

/** The documents that came to a recorder. */
const documentsAt = async (recorder: SippRecorder): Promise<string[]> =>
  bodiesIn(await recorder.messages()).flatMap(({ xml }) => (xml === undefined ? [] : [xml]))

/** What documents say that follow each other (RFC 7866 section 9.1). */
function stateOf(documents: readonly string[]): Map<string, string> {
  return new Map(documents.flatMap((xml) => [...elementsOf(xml)]))
}

/** Whether each request of a log has its answer, and each answered INVITE its ACK: SIPp takes one request at a time. */
function isSettled(log: string): boolean {
  const last = messagesIn(log).at(-1)
  return last?.isReceived === true ? last.message.method === 'ACK' : /^CSeq: \d+ UPDATE/m.test(`${last?.message.raw}`)
}

const isComplete = (xml: string): boolean => xml.includes('<datamode>complete<')

test('SRC-57, SRC-54, SRC-23: what changes after a snapshot is told on its ground alone: it and the changes make the next snapshot', async (t) => {
  const recorder = await openSippRecorder(t, 'recorder-streams', { most_lines: '3', snapshots: 'when-paused' }, 1, 3)
  const carol = await openPhone(t, 'carol', 'udp')
  const talk = await openTalk(t, {
    gateway: { recording: { profiles: [{ name: 'partial', metadata: { updates: 'partial' } }] } },
  })
  assert.equal((await talk.rest('start', recorder.uri)).status, 200, await recorder.messages())
  await untilHeard(recorder)
  const told = (what: string, isTold: (state: string, documents: readonly string[]) => boolean): Promise<void> =>
    until(
      `${what} is told`,
      async () => {
        const documents = await documentsAt(recorder)
        if (!isSettled(await recorder.messages())) return false
        return isTold([...stateOf(documents).values()].join(), documents)
      },
      DEADLINE_MS,
    )
  const resumed = (): Promise<void> =>
    until(
      'the resumption is answered',
      async () => {
        const log = await recorder.messages()
        return offersIn(log).at(-1)?.sdp.media[0]?.direction === 'sendonly' && isSettled(log)
      },
      DEADLINE_MS,
    )
  const completes = (documents: readonly string[]): number => documents.filter(isComplete).length
  assert.equal((await talk.rest('pause')).status, 200)
  await told('the first snapshot', (_, documents) => completes(documents) === 2)
  assert.equal((await talk.rest('resume')).status, 200)
  await resumed()
  const third = await joinTalk(talk, carol)
  await told('the third party', (state) => state.includes('carol@'))
  await third.hangup()
  await told('that it has left', (state) => state.split('disassociate-time').length === 3)
  await talk.callee.hold(true)
  await told('the hold', (state) => state.split('recv').length === 2)
  assert.equal((await talk.rest('pause')).status, 200)
  await told('the second snapshot', (_, documents) => completes(documents) === 3)
  const documents = await documentsAt(recorder)
  const [, from = 0, to = 0] = [...documents.keys()].filter((index) => isComplete(documents[index]!))
  assert.ok(to > from + 3, 'there were changes between')
  assert.deepEqual([...stateOf(documents.slice(from, to))].sort(), [...elementsOf(documents[to]!)].sort())
  assert.equal((await talk.rest('resume')).status, 200)
  await resumed()
  await talk.callee.hold(false)
  await told('the end of the hold', (state) => state.split('recv').length === 3)
  await untilHeard(recorder)
  assert.equal((await talk.rest('stop')).status, 200)
  await recorder.succeeded()
  await talk.assertUndisturbed()
  await talk.end()
})
