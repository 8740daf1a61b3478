// What was typed on the text streams of a recording (RFC 4103, T.140), as lines with times.

import { type Manifest, type RecordingFiles, RunTime, readRawRun, type StreamManifest } from '#store'

/** Characters that are read at most: somebody may type for hours. */
const MOST_CHARACTERS = 1_000_000
const LINE_END = /[\n\r\u2028\u2029]/
const BACKSPACE = '\b'
/** Alerts, marks of byte order, and other characters that are no text. */
const UNSEEN = /(?!\t)[\p{Cc}\ufeff]/u

interface TextLine {
  readonly atMs: number
  readonly writer: string
  text: string
}

/** The lines of all text streams in the order of their beginnings; undefined where there is none. Throws what the file system throws. */
export function textOf(
  { streams }: Manifest,
  pathOf: (file: string) => string | undefined,
  files: Pick<RecordingFiles, 'open'>,
): string | undefined {
  const texts = streams.filter(({ kind }) => kind === 'text')
  if (texts.length === 0) return undefined
  const lines = texts.flatMap((stream) => linesOf(stream, pathOf, files)).sort((a, b) => a.atMs - b.atMs)
  return lines.map(({ atMs, writer, text }) => `${timeOf(atMs)} ${writer}: ${text}\n`).join('')
}

function linesOf(
  { channel, label, participants, runs }: StreamManifest,
  pathOf: (file: string) => string | undefined,
  files: Pick<RecordingFiles, 'open'>,
): TextLine[] {
  const writer = participants.length > 0 ? participants.join(', ') : `stream ${label ?? channel + 1}`
  const lines: TextLine[] = []
  let line: TextLine | undefined
  let left = MOST_CHARACTERS
  for (const run of runs.filter(({ encoding }) => encoding.startsWith('T140/'))) {
    const path = pathOf(run.file)
    const time = new RunTime(run)
    for (const { payload, position } of path === undefined ? [] : readRawRun(path, run, files)) {
      for (const character of new TextDecoder().decode(payload)) {
        if (left-- <= 0) return lines
        if (LINE_END.test(character)) line = undefined
        else if (character === BACKSPACE) {
          if (line !== undefined) line.text = [...line.text].slice(0, -1).join('')
        } else if (!UNSEEN.test(character)) {
          if (line === undefined) {
            line = { atMs: time.msOf(position), writer, text: '' }
            lines.push(line)
          }
          line.text += character
        }
      }
    }
  }
  return lines.filter(({ text }) => text !== '')
}

/** As `1:02:03.4`. */
function timeOf(ms: number): string {
  const tenths = Math.floor(ms / 100)
  const [hours, minutes, seconds] = [Math.floor(tenths / 36_000), Math.floor(tenths / 600) % 60, (tenths % 600) / 10]
  return `${hours}:${String(minutes).padStart(2, '0')}:${seconds.toFixed(1).padStart(4, '0')}`
}
