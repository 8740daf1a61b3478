// Bodies as bytes: what a recorder over TCP keeps of a message that comes in odd pieces, with bare line feeds.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parseMessage, type SipResponse, StreamFramer } from '#sip'
import { keptRecording } from '../harness/kept-recording.ts'
import { openTestProgram, type TestProgram } from '../harness/open-program.ts'
import { until } from '../harness/until.ts'

const HOST = '127.0.0.1'
const SDP = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', 'm=audio 40000 RTP/AVP 0']

/** A document with bare line feeds, a lone carriage return, names beyond ASCII, and a blank line at its end. */
const documentOf = (name: string): Buffer =>
  Buffer.from(
    [
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode>',
      '<session session_id="hVpd7YQgRW2nD22h7q60JQ=="></session>',
      '<participant participant_id="srfBElmCRp2QB23b7Mpk0w=="><nameID aor="sip:zoe@example.test">',
      `<name xml:lang="de">${name}</name></nameID></participant>`,
      '<!-- one \r return --></recording>',
      '',
      '',
    ].join('\n'),
  )

/** A multipart body whose line ends are all bare line feeds. */
function bodyOf(document: Buffer): Buffer {
  const sdp = `${[...SDP, 'a=sendonly', 'a=label:1'].join('\n')}\n`
  return Buffer.concat([
    Buffer.from(`--b\nContent-Type: application/sdp\n\n${sdp}\n--b\n`),
    Buffer.from('Content-Type: application/rs-metadata+xml\nContent-Disposition: recording-session\n\n'),
    document,
    Buffer.from('\n--b--\n'),
  ])
}

/** A SIP client on a bare TCP connection. */
class RawClient {
  readonly responses: SipResponse[] = []
  /** Resolves when the recorder has closed the connection. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #framer = new StreamFramer()

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.on('data', (bytes) => {
      for (const output of this.#framer.push(bytes)) {
        const parsed = output.type === 'message' ? parseMessage(output.bytes, { transport: 'stream' }) : undefined
        if (parsed?.ok && parsed.value.kind === 'response') this.responses.push(parsed.value)
      }
    })
  }

  static async open(t: TestContext, port: number): Promise<RawClient> {
    const socket = connect(port, HOST)
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    t.after(() => socket.destroy())
    return new RawClient(socket)
  }

  /** Writes a stretch of bytes cut at these lengths in turn, each piece in a segment of its own. */
  async write(bytes: Buffer, lengths: readonly number[]): Promise<void> {
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const length = lengths[turn % lengths.length]!
      await new Promise<void>((resolve) => this.#socket.write(bytes.subarray(at, at + length), () => resolve()))
      await new Promise<void>((resolve) => setImmediate(resolve))
      at += length
    }
  }

  async final(cseq: string): Promise<SipResponse> {
    const found = (): SipResponse | undefined =>
      this.responses.find(({ status, headers }) => status >= 200 && headers.get('CSeq') === cseq)
    await until(`a final response to ${cseq}`, () => found() !== undefined)
    return found()!
  }
}

function requestOf(method: string, cseq: number, to: string, body: Buffer = Buffer.alloc(0)): Buffer {
  const head = [
    `${method} sip:srs@${HOST} SIP/2.0`,
    `Via: SIP/2.0/TCP ${HOST}:5060;branch=z9hG4bK-frame-${method}-${cseq}`,
    'Max-Forwards: 70',
    `From: <sip:src@${HOST}>;tag=raw`,
    `To: ${to}`,
    'Call-ID: framing',
    `CSeq: ${cseq} ${method}`,
    `Contact: <sip:src@${HOST}:5060;transport=tcp>;+sip.src`,
    'Require: siprec',
    ...(body.length === 0 ? [] : ['Content-Type: multipart/mixed;boundary=b']),
    `Content-Length: ${body.length}`,
    '',
    '',
  ]
  return Buffer.concat([Buffer.from(head.join('\r\n')), body])
}

async function openRecorder(t: TestContext): Promise<TestProgram> {
  const recorder = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorder.close())
  return recorder
}

for (const lengths of [[1, 7, 2, 31], [13], [100_000]]) {
  test(`SRS-22: bodies with bare line feeds and UTF-8 names in pieces of ${lengths.join(', ')} bytes are kept byte by byte`, async (t) => {
    const recorder = await openRecorder(t)
    const client = await RawClient.open(t, recorder.port('recorder', 'tcp'))
    const documents = [documentOf('Zoë Öberg-李小龍 🎧'), documentOf('Zoë, später')]
    const service = `<sip:srs@${HOST}>`
    await client.write(requestOf('INVITE', 1, service, bodyOf(documents[0]!)), lengths)
    const accepted = await client.final('1 INVITE')
    assert.equal(accepted.status, 200)
    const to = accepted.headers.get('To') ?? ''
    // All in one stretch: only Content-Length, counted in bytes, tells where one message ends and the next begins.
    const rest = [
      requestOf('ACK', 1, to),
      requestOf('UPDATE', 2, to, bodyOf(documents[1]!)),
      requestOf('OPTIONS', 3, to),
    ]
    await client.write(Buffer.concat(rest), lengths)
    assert.equal((await client.final('2 UPDATE')).status, 200)
    assert.equal((await client.final('3 OPTIONS')).status, 200)
    await client.write(requestOf('BYE', 4, to), lengths)
    assert.equal((await client.final('4 BYE')).status, 200)

    const { manifest, folder } = await keptRecording(recorder.store)
    assert.equal(manifest.metadata.length, 2)
    for (const [index, document] of documents.entries()) {
      const kept = await readFile(join(folder, manifest.metadata[index]?.file ?? ''))
      assert.ok(kept.equals(document), `document ${index + 1} is as it was sent`)
    }
    assert.equal(manifest.facts.participants[0]?.name, 'Zoë, später')
    assert.equal(manifest.facts.metadataInvalid, false)
  })
}

const sdpAlone = Buffer.from(`${[...SDP, 'a=sendonly', 'a=label:1'].join('\r\n')}\r\n`)
const announced = (length: string) => (text: string) => text.replace(/Content-Length: \d+/, length)

for (const [what, change, status] of [
  ['no Content-Length', announced('X-Nothing: 0'), 400],
  ['two of them', announced('Content-Length: 10\r\nContent-Length: 11'), 400],
  ['one that is no number', announced('Content-Length: many'), 400],
  ['more than may be', announced('Content-Length: 70000'), 513],
] as const) {
  test(`an INVITE over TCP with ${what} is answered ${status}, and is among the refused ones with its message`, async (t) => {
    const recorder = await openRecorder(t)
    const client = await RawClient.open(t, recorder.port('recorder', 'tcp'))
    const text = change(requestOf('INVITE', 1, `<sip:srs@${HOST}>`, sdpAlone).toString())
    await client.write(Buffer.from(text), [100_000])
    assert.equal((await client.final('1 INVITE')).status, status)
    const list = (await (await fetch(`${recorder.httpUrl}/api/refusals`)).json()) as {
      items: Record<string, unknown>[]
    }
    assert.deepEqual(
      list.items.map((item) => [item['status'], item['transport']]),
      [[status, 'tcp']],
    )
    const whole = await fetch(`${recorder.httpUrl}/api/refusals/${list.items[0]?.['refusalId']}`)
    assert.equal(((await whole.json()) as { message: string }).message, text)
    await client.closed
  })
}

test('garbage over TCP gets no answer, and the connection is closed', async (t) => {
  const recorder = await openRecorder(t)
  const client = await RawClient.open(t, recorder.port('recorder', 'tcp'))
  await client.write(Buffer.from('GET / HTTP/1.1\r\nHost: recorder\r\n\r\n'), [100])
  await client.closed
  assert.deepEqual(client.responses, [])
})
