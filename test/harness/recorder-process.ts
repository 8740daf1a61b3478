// A recorder process to be killed: one recording of one stream in a record worker; prints its RTP port, then waits.

import { argv, stdout } from 'node:process'
import { startRecordMedia } from '#recording-server'

const root = argv[2] ?? ''
const media = await startRecordMedia({ root, host: '127.0.0.1', portMin: 27_000, portMax: 28_999, keepDigits: false })
const sip = {
  callId: 'killed',
  fromUri: 'sip:a@b',
  toUri: 'sip:c@d',
  requestUri: 'sip:c@d',
  source: 'x',
  transport: 'udp',
}
const facts = {
  sip,
  participants: [],
  sessionIds: [],
  groupIds: [],
  metadataInvalid: false,
  speakers: [],
  speakersInferred: false,
  warnings: [],
}
await media.ask({ type: 'open', recordingId: 'killed', facts })
const codecs = [{ payloadType: 0, encoding: 'PCMU/8000', clockRateHz: 8000 }]
const settings = { codecs, isPaused: false }
const { rtpPort } = await media.ask({ type: 'add-stream', recordingId: 'killed', label: '1', settings })
media.onEvent((event) => stdout.write(`${event.type}\n`))
stdout.write(`${rtpPort}\n`)
