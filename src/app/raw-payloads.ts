// What was received and is kept payload by payload, for want of a decoder, in words for who gets it in an archive.

import type { Manifest, MediaKind } from '#store'

/** A file of payloads. */
export interface RawRun {
  readonly file: string
  readonly kind: MediaKind
  readonly channel: number
  readonly label: string
  /** Of a source beside the first one of its stream. */
  readonly ssrc?: number
  readonly encoding: string
  readonly clockRateHz: number
  readonly startMs: number
  /** Of the file. */
  readonly bytes: number
}

/** The files of payloads of a recording, by channel and time. */
export function rawRuns({ streams }: Manifest): RawRun[] {
  return streams.flatMap(({ channel, kind, label = '', runs, others = [] }) =>
    [{ runs }, ...others].flatMap((source) =>
      source.runs
        .filter(({ decoded }) => !decoded)
        .map(
          ({ file, encoding, clockRateHz, startMs, bytes }): RawRun => ({
            kind: kind ?? 'audio',
            ...{ file, channel, label, encoding, clockRateHz, startMs, bytes },
            ...('ssrc' in source && { ssrc: source.ssrc }),
          }),
        ),
    ),
  )
}

/** What the files are, and how to read them. */
export function payloadsGuide(payloads: readonly RawRun[]): string {
  const lines = payloads.map(({ file, kind, channel, label, ssrc, encoding, clockRateHz, startMs, bytes }) => {
    const source = ssrc === undefined ? '' : `, SSRC ${ssrc}`
    const from = `${kind === 'audio' ? '' : `${kind}, `}channel ${channel}${label === '' ? '' : `, label ${label}`}${source}`
    return `${file}: ${from}; ${encoding}, clock ${clockRateHz} Hz; begins at ${startMs} ms of the recording; ${bytes} bytes`
  })
  return `${GUIDE}\n${lines.join('\n')}\n`
}

const GUIDE = `RTP payloads as they were received

These files hold what came, packet by packet: audio in codecs that are not decoded when they are received, video and text. Where the recorder could
decode the audio afterwards, recording.wav has it too. Packets of video and text stand in the order in which they came. A file is SRGWRAW2 and then records, all numbers big-endian: u16 payload length, u8 payload type, u8 marker,
u16 sequence number, u16 zero, u32 timestamp, u32 SSRC, f64 arrival in milliseconds of the recording, f64 position in ticks of the RTP clock
since the file begins, and the payload. Files of older recorders begin with SRGWRAW1 and have no position. A record that is cut off
at the end is to be ignored.
`
