// What sections and leaves of the configuration schema are made of.

import { Type } from 'typebox'

/** What a leaf says about itself beyond JSON Schema. */
interface Leaf {
  /** What a reader of an error message is told to write. */
  readonly expects?: string
  readonly description?: string
  readonly default?: unknown
  readonly pattern?: string
}

type Properties = Parameters<typeof Type.Object>[0]

/** A section that always exists; its keys have defaults. */
export function section<P extends Properties>(description: string, properties: P) {
  return Type.Object(properties, { additionalProperties: false, default: {}, description })
}

/** A section that exists only when it is written. */
export function role<P extends Properties>(description: string, properties: P) {
  return Type.Optional(Type.Object(properties, { additionalProperties: false, description }))
}

/** An integer within limits. */
export function integer(description: string, standard: number, minimum: number, maximum: number) {
  return Type.Integer({ description, default: standard, minimum, maximum })
}

/** A text that is not empty. */
export function text(leaf: Leaf) {
  return Type.String({ minLength: 1, maxLength: 1024, ...leaf })
}

/** An IP literal. */
export function ipAddress(leaf: Leaf) {
  const families = [Type.String({ format: 'ipv4' }), Type.String({ format: 'ipv6' })]
  return Type.Union(families, { expects: 'an IP address', ...leaf })
}

/** What an entry of a list of hosts is. */
export const HOST_ENTRY = 'a host, a domain such as .example.com or a network'
/** Limits of a list of hosts. */
export const HOSTS = { maxItems: 1000, default: [] }
/** Where we listen unless told. */
export const LOOPBACK = '127.0.0.1'

/** Digest credentials that are answered with (RFC 8760). */
export const digestKeys = {
  username: text({ description: 'User name.' }),
  passwordVariable: Type.Optional(text({ description: 'Name of the environment variable that holds the password.' })),
  passwordFile: Type.Optional(text({ description: 'File with the password in its first line.' })),
  allowMd5: Type.Boolean({
    default: false,
    description: 'Answer MD5 challenges too; who knows SHA-256 is answered with that.',
  }),
}
