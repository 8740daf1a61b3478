// Inputs of about 60 kB, one UDP datagram each, built to be slow: for scanners, lists, quotes, folds and limits.

/** What a hostile datagram may carry. */
export interface BudgetInput {
  readonly name: string
  readonly bytes: Uint8Array
}

/** Most that one UDP datagram carries, less some room. */
export const INPUT_BYTES = 60_000

const LINE_BYTES = 8000

/** Inputs that were slow in other parsers, and others of their kind. */
export function pathologicalInputs(): BudgetInput[] {
  return [
    ...shapes('Contact: <sip:a@b>', [
      ' ',
      '\t',
      ',',
      ';',
      ';a',
      ';a=b',
      ';a="',
      ', <sip:a@b>',
      '"',
      '<',
      '>',
      '\\"',
      '%41',
    ]),
    ...shapes('To: ', ['a ', 'a', '"', '\\', '"\\', '<', '<<<', 'sip:', '@', ':', '%', 'ä']),
    ...shapes('Via: SIP/2.0/UDP h', [';p', ';p=v', ' ;', ',SIP/2.0/UDP h', ':', '.', ' / ', ';branch=z9hG4bK']),
    ...shapes('Via: ', ['SIP', 'SIP / ', '/', ' ', '[', ']']),
    ...shapes('Route: ', ['<sip:a;lr>,', '<', '<sip:', '",', '"\\",']),
    ...shapes('CSeq: ', ['1', '0', ' ', 'A', '1 ']),
    ...shapes('Content-Length: ', ['9', '0', ' ', '-']),
    ...shapes('Call-ID: ', ['x', '@', ' ']),
    ...shapes('X-Fold: a', ['\r\n ', '\r\n b', '\n\t', '\r\n  x,', '\r ']),
    ...floods(),
    ...starts(),
    ...uris(),
  ].map(({ name, text }) => ({ name, bytes: Buffer.from(text).subarray(0, INPUT_BYTES) }))
}

/** Seeded mutations of real messages, blown up to the full size. */
export function mutatedInputs(messages: readonly Uint8Array[], count: number): BudgetInput[] {
  const random = randomNumbers(4475)
  return Array.from({ length: count }, (_, index) => {
    const message = messages[index % messages.length]!
    return { name: `mutation ${index}`, bytes: blowUp(message, random) }
  })
}

interface TextInput {
  readonly name: string
  readonly text: string
}

// Each unit once as a single line over the limit, and once as many lines just below it.
function shapes(start: string, units: readonly string[]): TextInput[] {
  return units.flatMap((unit) => {
    const label = `${start} + ${JSON.stringify(unit)}`
    const line = start + unit.repeat(Math.floor((LINE_BYTES - start.length) / unit.length))
    return [
      { name: `${label}, one line`, text: withHeader(start + unit.repeat(Math.ceil(INPUT_BYTES / unit.length))) },
      { name: `${label}, full lines`, text: withHeader(Array(7).fill(line).join('\r\n')) },
      {
        name: `${label}, full lines and the rest`,
        text: `${INVITE}${Array(7).fill(line).join('\r\n')}\r\n${REST}\r\n`,
      },
    ]
  })
}

function floods(): TextInput[] {
  const lines = ['m: <sip:a@b>', 'a:b', 'Via: SIP/2.0/UDP h', ':', 'a', ' a', 'f: x', 'Content-Length: 0']
  return lines.flatMap((line) => [
    { name: `flood of ${line}`, text: withHeader(`${line}\r\n`.repeat(INPUT_BYTES / line.length)) },
    { name: `flood of ${line}, bare LF`, text: withHeader(`${line}\n`.repeat(INPUT_BYTES / line.length)) },
    { name: `flood of ${line}, bare CR`, text: withHeader(`${line}\r`.repeat(INPUT_BYTES / line.length)) },
  ])
}

function starts(): TextInput[] {
  const units = [' ', '\t', '\r\n', '\n', '\r', '\0', 'A', 'SIP/2.0 ', 'SIP/', 'INVITE ', '"', 'ä', '\r\n\r']
  return [
    ...units.map((unit) => ({
      name: `nothing but ${JSON.stringify(unit)}`,
      text: unit.repeat(INPUT_BYTES / unit.length),
    })),
    { name: 'huge Content-Length', text: withHeader(`Content-Length: ${'9'.repeat(5000)}`) },
    { name: 'long reason', text: `SIP/2.0 200 ${'x '.repeat(INPUT_BYTES / 2)}\r\n\r\n` },
    { name: 'body without end', text: withHeader(`Content-Length: 10\r\n\r\n${'\r\n'.repeat(INPUT_BYTES / 2)}`) },
  ]
}

function uris(): TextInput[] {
  const units = ['a', '@', ':', ';', ';a=b', '?', '&a=b', '%41', '%', '[', ']', '1', '.', '(']
  return ['sip:', 'sip:a@', 'sip:a@b;', 'tel:+', 'sip:['].flatMap((start) =>
    units.map((unit) => ({
      name: `Request-URI ${start} + ${unit}`,
      text: `INVITE ${start}${unit.repeat(LINE_BYTES / unit.length - 20)} SIP/2.0\r\n${REST}\r\n${'x'.repeat(INPUT_BYTES)}`,
    })),
  )
}

const INVITE = 'INVITE sip:a@b SIP/2.0\r\n'
const REST = [
  'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa',
  'From: <sip:a@b>;tag=1',
  'To: <sip:a@b>',
  'Call-ID: a',
  'CSeq: 1 INVITE',
  '',
].join('\r\n')

function withHeader(line: string): string {
  return `${INVITE}${REST}${line}\r\n\r\n`
}

const SPICE = Buffer.from(' \t\r\n,;:"<>\\/=@%[]?&\0\x7fäaSZ09')

function blowUp(message: Uint8Array, random: () => number): Uint8Array {
  const at = Math.floor(random() * message.length)
  const length = 1 + Math.floor(random() * 40)
  const piece = Buffer.from(message.subarray(at, at + length))
  // A few bytes of the repeated piece are replaced by such as mean something to a parser.
  for (let count = Math.floor(random() * 4); count > 0; count--) {
    piece[Math.floor(random() * piece.length)] = SPICE[Math.floor(random() * SPICE.length)]!
  }
  const filling = Buffer.alloc(INPUT_BYTES - message.length, piece)
  return Buffer.concat([message.subarray(0, at), filling, message.subarray(at)])
}

/** Numbers in [0, 1) from a linear congruential generator: the same on every run. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 0x1_0000_0000
  }
}
