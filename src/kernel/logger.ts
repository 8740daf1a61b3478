// The logging port: constant messages, variable fields, bound context.

/** Fields of one log line; values must be JSON-serialisable. */
export type LogFields = Readonly<Record<string, unknown>>

/** Structured logger; `message` is a constant string, everything variable goes into `fields`. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A logger that adds `fields` to each of its lines. */
  child(fields: LogFields): Logger
}

/** One line kept by `MemoryLogger`. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: LogFields
}

/** Logger that drops everything. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
}

/** In-memory logger for tests; children write to the same list. */
export class MemoryLogger implements Logger {
  readonly lines: LogLine[]
  readonly #bound: LogFields

  constructor(lines: LogLine[] = [], bound: LogFields = {}) {
    this.lines = lines
    this.#bound = bound
  }

  debug(message: string, fields?: LogFields): void {
    this.#add('debug', message, fields)
  }

  info(message: string, fields?: LogFields): void {
    this.#add('info', message, fields)
  }

  warn(message: string, fields?: LogFields): void {
    this.#add('warn', message, fields)
  }

  error(message: string, fields?: LogFields): void {
    this.#add('error', message, fields)
  }

  child(fields: LogFields): Logger {
    return new MemoryLogger(this.lines, { ...this.#bound, ...fields })
  }

  /** Messages only, in order. */
  messages(): string[] {
    return this.lines.map((line) => line.message)
  }

  #add(level: LogLine['level'], message: string, fields: LogFields = {}): void {
    this.lines.push({ level, message, fields: { ...this.#bound, ...fields } })
  }
}

/** Hides all but the last two characters of the user part of a SIP, SIPS or tel URI. */
export function redactUri(uri: string): string {
  return uri.replace(/^((?:sips?|tel):)([^@;>]*)(@?)/i, (_whole, scheme: string, user: string, at: string) =>
    at === '' && !scheme.toLowerCase().startsWith('tel') ? scheme + user : `${scheme}***${user.slice(-2)}${at}`,
  )
}
