// pino behind the kernel's Logger port: one JSON object per line.

import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino'
import type { LogFields, Logger } from '#kernel'
import type { Config } from './config-schema.ts'

/** Least severity to log. */
export type LogLevel = Config['log']['level']

/** The logger of a process. */
export interface ProcessLogger extends Logger {
  /** Resolves when all lines are written, or after a second: nobody may be reading. */
  flushed(): Promise<void>
}

/** Users of SIP URIs and whole tel URIs that are numbers; the last two digits stay, as in `redactUri`. */
const NUMBERS =
  /(sips?:|tel:)(?:\+|%2B)?(?:[\d().-]|%20){4,64}(\d\d)(?=[^@\s"<>,]{0,80}@|(?<=tel:[^@]{0,40})(?![\d().@-]))/gi
const STANDARD_OUTPUT = 1
/** Whoever reads standard output may stop reading: lines wait in memory, no more than that, and nothing waits for them. */
const MOST_WAITING_BYTES = 32 * 1024 * 1024
const FLUSH_WITHIN_MS = 1000

/** Makes the logger of the process; lines go to standard output unless `stream` is given. */
export function createLogger(level: LogLevel, stream?: DestinationStream): ProcessLogger {
  const options = {
    level,
    base: null,
    messageKey: 'message',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    hooks: { streamWrite: withoutNumbers },
  }
  if (stream !== undefined) return { ...behindPort(pino(options, stream)), flushed: async () => {} }
  // With a least length of 0 flush would call back at once, whatever waits.
  const output = pino.destination({ dest: STANDARD_OUTPUT, sync: false, minLength: 1, maxLength: MOST_WAITING_BYTES })
  const flushed = (): Promise<void> =>
    new Promise((resolve) => {
      setTimeout(resolve, FLUSH_WITHIN_MS).unref()
      output.flush(() => resolve())
    })
  return { ...behindPort(pino(options, output)), flushed }
}

/** A number that somebody can be called by is nobody's to read in a log, in whatever field it stands. */
function withoutNumbers(line: string): string {
  return line.replaceAll(NUMBERS, '$1***$2')
}

function behindPort(sink: PinoLogger): Logger {
  return {
    debug: (message, fields: LogFields = {}) => sink.debug(fields, message),
    info: (message, fields: LogFields = {}) => sink.info(fields, message),
    warn: (message, fields: LogFields = {}) => sink.warn(fields, message),
    error: (message, fields: LogFields = {}) => sink.error(fields, message),
    child: (fields) => behindPort(sink.child(fields)),
  }
}
