// Reads session descriptions (RFC 8866) by one pass over the lines; tolerant where peers are known to err.

import { err, ok, type Result } from '#kernel'
import {
  portNumber,
  type SdpAttribute,
  type SdpConnection,
  type SdpMedia,
  type SdpOrigin,
  type SessionDescription,
} from './session-description.ts'

const MAX_BYTES = 65_536
const MAX_MEDIA = 128
const MAX_ATTRIBUTES = 4096

/** Why a description cannot be read; `line` counts from 1. */
export interface SdpError {
  readonly line: number
  readonly message: string
}

/** A description as received, with what was wrong but tolerable about it. */
export type ParsedSdp = SessionDescription & { readonly warnings: string[] }

interface Section {
  connection?: SdpConnection
  readonly attributes: SdpAttribute[]
  readonly other: string[]
}

interface MediaSection extends Section {
  readonly kind: string
  readonly port: number
  portCount?: number
  readonly protocol: string
  readonly formats: string[]
  title?: string
  readonly bandwidth: string[]
}

/** How much is forgiven. */
export interface SdpParseOptions {
  /** `v=`, `o=` and `c=` may be missing or malformed too: enough for a party that only receives. */
  readonly isTolerant?: boolean
}

/** Parses a description; bare LF, a BOM and missing `s=`, `t=` or `c=` are tolerated and, where lossy, named in `warnings`. */
export function parseSdp(input: Uint8Array | string, options: SdpParseOptions = {}): Result<ParsedSdp, SdpError> {
  if (input.length > MAX_BYTES) return err({ line: 1, message: `larger than ${MAX_BYTES} bytes` })
  const text = typeof input === 'string' ? input : new TextDecoder().decode(input)
  return new Reader(options.isTolerant === true).read(text)
}

/** Stands for an origin that cannot be read. */
const NO_ORIGIN: SdpOrigin = {
  username: '-',
  sessionId: '0',
  sessionVersion: '0',
  addressType: 'IP4',
  address: '0.0.0.0',
}

class Reader {
  readonly #warnings: string[] = []
  readonly #session: Section = { attributes: [], other: [] }
  readonly #media: MediaSection[] = []
  readonly #timing: string[] = []
  #origin: SdpOrigin | undefined
  #sessionName: string | undefined
  #hasVersion = false
  #attributeCount = 0
  readonly #isTolerant: boolean

  constructor(isTolerant: boolean) {
    this.#isTolerant = isTolerant
  }

  read(text: string): Result<ParsedSdp, SdpError> {
    const lines = text.split('\n')
    for (const [index, raw] of lines.entries()) {
      const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
      if (line.trim() === '') continue
      const problem = this.#line(line)
      if (problem !== undefined) return err({ line: index + 1, message: problem })
    }
    return this.#finish(lines.length)
  }

  #line(line: string): string | undefined {
    if (line.includes('\r') || line.includes('\0')) return 'control character in a line'
    if (line[1] !== '=') {
      this.#warn('a line without type was dropped')
      return undefined
    }
    const type = line[0]!
    const value = line.slice(2)
    if (type === 'v') return this.#version(value)
    if (!this.#hasVersion && !this.#isForgiven('v= is missing')) return 'does not begin with v='
    if (type === 'm') return this.#mediaLine(value)
    if (type === 'a') return this.#attribute(value)
    if (type === 'c') return this.#connection(value)
    if (type === 'k') this.#warn('k= was dropped')
    else if (!this.#ofSection(type, value)) this.#section().other.push(line)
    return undefined
  }

  #version(value: string): string | undefined {
    if (value.trim() !== '0') return 'unknown protocol version'
    if (this.#hasVersion) return 'second v= line'
    this.#hasVersion = true
    return undefined
  }

  #ofSection(type: string, value: string): boolean {
    const media = this.#media.at(-1)
    if (media !== undefined) {
      if (type === 'i' && media.title === undefined) media.title = value
      else if (type === 'b') media.bandwidth.push(value)
      else return false
      return true
    }
    if (type === 'o' && this.#origin === undefined) this.#origin = originOf(value)
    else if (type === 's' && this.#sessionName === undefined) this.#sessionName = value
    else if (type === 't') this.#timing.push(value)
    else return false
    return true
  }

  #mediaLine(value: string): string | undefined {
    if (this.#media.length === MAX_MEDIA) return `more than ${MAX_MEDIA} media descriptions`
    const [kind = '', portText = '', protocol = '', ...formats] = value.split(' ').filter((word) => word !== '')
    const slash = portText.indexOf('/')
    const port = portNumber(slash < 0 ? portText : portText.slice(0, slash))
    const portCount = slash < 0 ? undefined : portNumber(portText.slice(slash + 1))
    if (port === undefined || protocol === '' || (slash >= 0 && portCount === undefined)) return 'malformed m= line'
    if (formats.length === 0) this.#warn('an m= line has no format')
    this.#media.push({
      kind,
      port,
      ...(portCount === undefined ? {} : { portCount }),
      protocol,
      formats,
      bandwidth: [],
      attributes: [],
      other: [],
    })
    return undefined
  }

  #attribute(value: string): string | undefined {
    if (++this.#attributeCount > MAX_ATTRIBUTES) {
      const message = `more than ${MAX_ATTRIBUTES} attributes`
      return this.#isForgiven(message) ? undefined : message
    }
    const colon = value.indexOf(':')
    const name = (colon < 0 ? value : value.slice(0, colon)).trim()
    if (name === '') this.#warn('an attribute without name was dropped')
    else this.#section().attributes.push(colon < 0 ? { name } : { name, value: value.slice(colon + 1) })
    return undefined
  }

  #connection(value: string): string | undefined {
    const [network, addressType, address] = value.split(' ').filter((word) => word !== '')
    if (network !== 'IN' || !isAddressType(addressType) || address === undefined) {
      return this.#isForgiven('malformed c= line') ? undefined : 'malformed c= line'
    }
    const section = this.#section()
    if (section.connection === undefined) section.connection = { addressType, address }
    else section.other.push(`c=${value}`)
    return undefined
  }

  #finish(lineCount: number): Result<ParsedSdp, SdpError> {
    // Without a version and a stream it is no description at all.
    if (!this.#hasVersion && (this.#media.length === 0 || !this.#isForgiven('v= is missing'))) {
      return err({ line: lineCount, message: 'does not begin with v=' })
    }
    if (this.#origin === undefined && !this.#isForgiven('no well-formed o= line')) {
      return err({ line: lineCount, message: 'no well-formed o= line' })
    }
    if (!this.#sessionName) this.#warn('s= is missing or empty')
    if (this.#timing.length === 0) this.#warn('t= is missing')
    const { connection, attributes, other } = this.#session
    const lacksConnection = (media: MediaSection): boolean => media.port !== 0 && media.connection === undefined
    if (connection === undefined && this.#media.some(lacksConnection)) this.#warn('c= is missing')
    const media: readonly SdpMedia[] = this.#media
    return ok({
      origin: this.#origin ?? NO_ORIGIN,
      sessionName: this.#sessionName || '-',
      ...(connection === undefined ? {} : { connection }),
      timing: this.#timing.length === 0 ? ['0 0'] : this.#timing,
      attributes,
      media,
      other,
      warnings: this.#warnings,
    })
  }

  #isForgiven(message: string): boolean {
    if (this.#isTolerant) this.#warn(message)
    return this.#isTolerant
  }

  #section(): Section {
    return this.#media.at(-1) ?? this.#session
  }

  #warn(message: string): void {
    if (!this.#warnings.includes(message)) this.#warnings.push(message)
  }
}

function originOf(value: string): SdpOrigin | undefined {
  const [username, sessionId, sessionVersion, network, addressType, address] = value
    .split(' ')
    .filter((word) => word !== '')
  if (username === undefined || sessionId === undefined || sessionVersion === undefined) return undefined
  if (network !== 'IN' || !isAddressType(addressType) || address === undefined) return undefined
  return { username, sessionId, sessionVersion, addressType, address }
}

function isAddressType(text: string | undefined): text is 'IP4' | 'IP6' {
  return text === 'IP4' || text === 'IP6'
}
