// The arithmetic of digest authentication: RFC 7616 section 3.4, with the algorithms of RFC 8760.

import { createHash } from 'node:crypto'

/** A hash and how it is applied. */
export interface DigestAlgorithm {
  /** As registered, e.g. `SHA-256-sess`. */
  readonly name: string
  readonly hash: 'sha256' | 'sha512-256' | 'md5'
  readonly isSession: boolean
}

/** Quality of protection: the request line, or the body as well. */
export type DigestQop = 'auth' | 'auth-int'

/** All that a response is computed from; quoted values come without their quotes. */
export interface DigestInput {
  readonly algorithm: DigestAlgorithm
  readonly username: string
  readonly realm: string
  readonly password: string
  readonly nonce: string
  readonly cnonce: string
  /** Eight hexadecimal digits. */
  readonly nonceCount: string
  readonly qop: DigestQop
  readonly method: string
  readonly uri: string
  readonly body: Uint8Array
}

const ALGORITHMS = new Map<string, DigestAlgorithm>(
  (
    [
      ['SHA-256', 'sha256'],
      ['SHA-512-256', 'sha512-256'],
      ['MD5', 'md5'],
    ] as const
  ).flatMap(([name, hash]) => [
    [name.toLowerCase(), { name, hash, isSession: false }] as const,
    [`${name.toLowerCase()}-sess`, { name: `${name}-sess`, hash, isSession: true }] as const,
  ]),
)

/** The algorithm of that name; MD5 when none is named (RFC 7616 section 3.3), undefined for one that we do not know. */
export function digestAlgorithm(name = 'MD5'): DigestAlgorithm | undefined {
  return ALGORITHMS.get(name.toLowerCase())
}

/** The value of `response`. */
export function digestResponse(input: DigestInput): string {
  const { algorithm, nonce, cnonce, nonceCount, qop } = input
  const digest = (text: string | Uint8Array): string => hexDigest(algorithm, text)
  const secret = digest(`${input.username}:${input.realm}:${input.password}`)
  const first = algorithm.isSession ? digest(`${secret}:${nonce}:${cnonce}`) : secret
  const request = `${input.method}:${input.uri}`
  const second = digest(qop === 'auth-int' ? `${request}:${digest(input.body)}` : request)
  return digest(`${first}:${nonce}:${nonceCount}:${cnonce}:${qop}:${second}`)
}

/** The value of `username` for a server that asked for `userhash` (RFC 7616 section 3.4.4). */
export function hashedUsername(algorithm: DigestAlgorithm, username: string, realm: string): string {
  return hexDigest(algorithm, `${username}:${realm}`)
}

function hexDigest({ hash }: DigestAlgorithm, text: string | Uint8Array): string {
  return createHash(hash).update(text).digest('hex')
}
