// The documents a client sends (RFC 7865), shaped as RFC 8068 sections 3.2.1, 3.2.2 and 3.2.4 shape them; the people are made up.

import { randomBytes } from 'node:crypto'

/** A party of the call that the documents tell of. */
export type Person = { readonly name: string; readonly aor: string }

/** Which document a request carries; `xml` is any text at all. */
export type MetadataChoice =
  | 'rfc8068'
  | 'hold'
  | 'resume'
  | 'end'
  | 'empty'
  | 'broken'
  | 'none'
  | { readonly xml: string }

const OPEN = '<?xml version="1.0" encoding="UTF-8"?>\r\n<recording xmlns="urn:ietf:params:xml:ns:recording:1">\r\n'
const CLOSE = '</recording>\r\n'

/** Sixteen octets of a version 4 UUID in base64 (RFC 7865 section 6.10). */
function freshId(): string {
  const octets = randomBytes(16)
  octets.writeUInt8((octets.readUInt8(6) & 0x0f) | 0x40, 6)
  octets.writeUInt8((octets.readUInt8(8) & 0x3f) | 0x80, 8)
  return octets.toString('base64')
}

/** A wall-clock time as RFC 3339 text in UTC. */
function timeText(atMs: number): string {
  return new Date(atMs).toISOString()
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

/** One call and the ids that all its documents share. */
export class CallStory {
  readonly sessionId = freshId()
  readonly groupId = freshId()
  readonly people: readonly Person[]
  readonly participantIds: readonly string[]
  readonly streamIds: readonly string[]
  readonly sipSessionId = `${randomBytes(16).toString('hex')};remote=${randomBytes(16).toString('hex')}`
  readonly #labels: readonly string[]
  readonly #startMs: number

  constructor(labels: readonly string[], people?: readonly Person[], startMs: number = Date.now()) {
    this.people = people ?? [
      { name: 'Ottoline Brandt', aor: 'sip:ottoline@callers.example' },
      { name: 'Matías "Kit" Öberg & Co', aor: 'sip:matias@desk.example' },
    ]
    this.#labels = labels
    this.#startMs = startMs
    this.participantIds = this.people.map(freshId)
    this.streamIds = labels.map(freshId)
  }

  /** The document of one choice; undefined for `none`. */
  document(choice: MetadataChoice): string | undefined {
    if (typeof choice === 'object') return choice.xml
    switch (choice) {
      case 'none':
        return undefined
      case 'rfc8068':
        return this.#complete()
      case 'hold':
        return this.#partial((sender) => (sender === 0 ? 'recv' : 'send'))
      case 'resume':
        return this.#partial(() => 'both')
      case 'end':
        return this.#end()
      case 'empty':
        return `${OPEN}<datamode>complete</datamode>\r\n${CLOSE}`
      case 'broken':
        return this.#complete().replace('</session>', '</sesion>').slice(0, -20)
    }
  }

  #complete(): string {
    const at = timeText(this.#startMs)
    const assoc = `<associate-time>${at}</associate-time>`
    const lines = [
      '<datamode>complete</datamode>',
      `<group group_id="${this.groupId}">${assoc}`,
      '  <desk xmlns="urn:example:foreign:desk">late shift</desk></group>',
      `<session session_id="${this.sessionId}"><sipSessionID>${this.sipSessionId}</sipSessionID>`,
      `  <group-ref>${this.groupId}</group-ref><start-time>${at}</start-time></session>`,
    ]
    for (const [i, person] of this.people.entries()) {
      lines.push(`<participant participant_id="${this.participantIds[i]}">`)
      lines.push(
        `  <nameID aor="${escapeXml(person.aor)}"><name xml:lang="en">${escapeXml(person.name)}</name></nameID>`,
      )
      lines.push('</participant>')
    }
    for (const [i, label] of this.#labels.entries()) {
      lines.push(
        `<stream stream_id="${this.streamIds[i]}" session_id="${this.sessionId}"><label>${label}</label></stream>`,
      )
    }
    lines.push(`<sessionrecordingassoc session_id="${this.sessionId}">${assoc}</sessionrecordingassoc>`)
    for (const id of this.participantIds) {
      lines.push(`<participantsessionassoc participant_id="${id}" session_id="${this.sessionId}">`)
      lines.push(`  ${assoc}</participantsessionassoc>`)
    }
    lines.push(...this.#streamAssociations(() => 'both'))
    return `${OPEN}${lines.join('\r\n')}\r\n${CLOSE}`
  }

  #partial(roleOf: (party: number) => 'both' | 'send' | 'recv'): string {
    const lines = ['<datamode>partial</datamode>', ...this.#streamAssociations(roleOf)]
    return `${OPEN}${lines.join('\r\n')}\r\n${CLOSE}`
  }

  /** Stream i is sent by party i modulo the parties, and heard by the others. */
  #streamAssociations(roleOf: (party: number) => 'both' | 'send' | 'recv'): string[] {
    return this.participantIds.map((id, party) => {
      const role = roleOf(party)
      const isOwn = (_: string, i: number) => i % this.participantIds.length === party
      const sends = role === 'recv' ? [] : this.streamIds.filter(isOwn)
      const hears = role === 'send' ? [] : this.streamIds.filter((stream, i) => !isOwn(stream, i))
      const inside = [
        ...sends.map((stream) => `<send>${stream}</send>`),
        ...hears.map((stream) => `<recv>${stream}</recv>`),
        `<associate-time>${timeText(this.#startMs)}</associate-time>`,
      ]
      return `<participantstreamassoc participant_id="${id}">${inside.join('')}</participantstreamassoc>`
    })
  }

  #end(): string {
    const at = timeText(Date.now())
    const lines = ['<datamode>partial</datamode>', `<session session_id="${this.sessionId}">`]
    lines.push(`  <stop-time>${at}</stop-time></session>`)
    for (const id of this.participantIds) {
      lines.push(`<participantsessionassoc participant_id="${id}" session_id="${this.sessionId}">`)
      lines.push(`  <disassociate-time>${at}</disassociate-time></participantsessionassoc>`)
    }
    return `${OPEN}${lines.join('\r\n')}\r\n${CLOSE}`
  }
}
