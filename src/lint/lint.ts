// Checks a file that holds a metadata document or a message of a recording session, each part alone and the parts against each other.

import type { SipMessage } from '#sip'
import { type BodyPart, type DocumentFault, inspectMetadata, isMetadata, isSdp, parseBody } from '#siprec'
import { documentRules } from './document-rules.ts'
import type { FilePlace, Finding, Report, Rule } from './finding.ts'
import { checkHead, type MessageRole, roleOf } from './head-check.ts'
import { lineOf, readLintFile } from './lint-file.ts'
import { type HeadCode, headRules, type SdpCode, sdpRules } from './message-rules.ts'
import { checkSdp } from './sdp-check.ts'

/** What a check of a file says. */
export interface LintReport {
  /** `unreadable`: the file is nothing that can be checked. */
  readonly kind: 'document' | 'message' | 'entity' | 'unreadable'
  /** In the order of the file. */
  readonly findings: readonly Finding[]
}

/** Checks a file; never throws. */
export function lint(bytes: Uint8Array): LintReport {
  const file = readLintFile(bytes)
  const linter = new Linter()
  if (!file.ok) {
    const { message, isMessage, line } = file.error
    linter.head('sip-malformed', message, line === undefined ? undefined : { line })
    return { kind: isMessage ? 'message' : 'unreadable', findings: linter.sorted() }
  }
  const { value } = file
  if (value.kind === 'document') {
    linter.document(inspectMetadata(value.bytes).faults, 1)
  } else if (value.kind === 'entity') {
    const { bytes, body, headers } = value
    const carrier = { contentType: headers.get('content-type'), disposition: headers.get('content-disposition'), body }
    linter.body(carrier, bytes, () => ({ role: 'source', isInitialInvite: false, isResponse: false }))
  } else {
    for (const quirk of value.quirks) linter.head(quirk, quirkText[quirk])
    linter.message(value.message, value.bytes)
  }
  return { kind: value.kind, findings: linter.sorted() }
}

/** Checks a message that was received; findings have no place in a file. Never throws. */
export function lintMessage(message: SipMessage): readonly Finding[] {
  const linter = new Linter()
  const length = message.headers.get('Content-Length')
  if (length !== undefined && Number(length) !== message.body.length)
    linter.head('content-length', quirkText['content-length'])
  linter.message(message, message.body)
  return linter.sorted().map(({ severity, code, message: text, section, advice }) => {
    return { severity, code, message: text, section, advice }
  })
}

/** Every code that a finding can have, with its rule. */
export const lintRules: Readonly<Record<string, Rule>> = { ...headRules, ...sdpRules, ...documentRules }

const quirkText = {
  'line-ends': 'lines end in LF alone',
  'content-length': 'Content-Length is not that of the body',
} as const

interface Carrier {
  readonly contentType: string | undefined
  readonly disposition: string | undefined
  readonly body: Uint8Array
}

type Root = ReturnType<typeof inspectMetadata>['root']

class Linter {
  readonly #findings: Finding[] = []
  readonly head: Report<HeadCode> = (code, message, place) => this.#add(code, headRules[code], message, place)
  readonly #sdp: Report<SdpCode> = (code, message, place) => this.#add(code, sdpRules[code], message, place)

  sorted(): Finding[] {
    return this.#findings.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
  }

  document(faults: readonly DocumentFault[], firstLine: number): void {
    for (const { code, message, place } of faults) {
      const moved = place === undefined ? { line: firstLine } : { ...place, line: place.line + firstLine - 1 }
      this.#add(code, documentRules[code], message, moved)
    }
  }

  message(message: SipMessage, bytes: Uint8Array): void {
    const { headers, body } = message
    const carrier = {
      contentType: headers.get('Content-Type'),
      disposition: headers.get('Content-Disposition'),
      body,
    }
    let role: MessageRole | undefined
    const found = this.body(carrier, bytes, (root) => {
      role = roleOf(message, root)
      return role
    })
    if (role === undefined) return
    checkHead(message, role, (name) => headerLine(bytes, name), this.head)
    if (role.role !== 'source' || !role.isInitialInvite) return
    const place = { line: headerLine(bytes, 'Content-Type') ?? 1 }
    if (!found.hasSdp) this.head('no-sdp', 'the INVITE has no offer', place)
    if (found.root === undefined) this.head('no-metadata', 'the INVITE has no metadata', place)
    if (found.isPartial) this.head('partial-first', 'the first document is partial', place)
  }

  /** Checks the parts of a body; `judge` says what the message is, given the root of its metadata. */
  body(
    { contentType, disposition, body }: Carrier,
    file: Uint8Array,
    judge: (root: Root | undefined) => MessageRole,
  ): { readonly hasSdp: boolean; readonly root: Root | undefined; readonly isPartial: boolean } {
    const { parts, warnings } = parseBody(contentType, disposition, body)
    const lineOfPart = (part: BodyPart | undefined): number =>
      lineOf(file, (part?.content ?? body).byteOffset - file.byteOffset)
    for (const warning of warnings) this.head('body-form', warning, { line: lineOfPart(undefined) })
    const sdp = parts.find(isSdp)
    const metadata = parts.find(isMetadata)
    const { role, isResponse } = judge(metadata === undefined ? undefined : inspectMetadata(metadata.content).root)
    const labels =
      sdp === undefined ? undefined : checkSdp(sdp.content, { role, isAnswer: isResponse }, lineOfPart(sdp), this.#sdp)
    if (metadata === undefined) return { hasSdp: sdp !== undefined, root: undefined, isPartial: false }
    const line = lineOfPart(metadata)
    const inspection = inspectMetadata(metadata.content, {
      contentType: metadata.contentType,
      ...(labels === undefined ? {} : { labels }),
    })
    this.document(inspection.faults, line)
    this.#metadataPart(metadata, line)
    const isMixed = /^multipart\/mixed\b/i.test(contentType?.trim() ?? '')
    if (sdp !== undefined && !isMixed) this.head('not-multipart-mixed', `the body is ${contentType?.split(';')[0]}`)
    const { root, metadata: document } = inspection
    const hasLabels = document?.streams.some((stream) => stream.label !== undefined) ?? false
    if (sdp === undefined && hasLabels) this.head('labels-without-sdp', 'the metadata has labels', { line })
    if (sdp !== undefined && root === 'requestsnapshot')
      this.head('snapshot-with-sdp', 'SDP beside the request', { line })
    return { hasSdp: sdp !== undefined, root, isPartial: document?.dataMode === 'partial' }
  }

  #metadataPart({ disposition, mediaType }: BodyPart, line: number): void {
    const kind = disposition?.split(';')[0]?.trim().toLowerCase()
    if (kind !== 'recording-session') {
      this.head(
        'metadata-disposition',
        `the metadata has ${kind === undefined ? 'no disposition' : `disposition ${kind}`}`,
        { line },
      )
    }
    if (mediaType !== 'application/rs-metadata+xml')
      this.head('metadata-type', `the metadata is ${mediaType || 'of no type'}`, { line })
  }

  #add(code: string, { severity, section, advice }: Rule, message: string, place?: FilePlace): void {
    this.#findings.push({ severity, code, message, section, advice, ...place })
  }
}

function headerLine(bytes: Uint8Array, name: string): number | undefined {
  const lines = new TextDecoder('latin1').decode(bytes).split('\r\n')
  const end = lines.indexOf('')
  const wanted = `${name.toLowerCase()}:`
  const at = lines.slice(0, end < 0 ? lines.length : end).findIndex((line) =>
    line
      .replace(/[ \t]+:/, ':')
      .toLowerCase()
      .startsWith(wanted),
  )
  return at < 0 ? undefined : at + 1
}
