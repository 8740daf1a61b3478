// Configuration of who may send recordings, by what it proves: its network, its certificate, a password.

import { Type } from 'typebox'
import { integer, section, text } from './config-leaf.ts'
import { sources } from './config-network.ts'

const user = Type.Object(
  {
    username: text({ description: 'User name.', pattern: '^[^\\x00-\\x1f\\x7f]*$' }),
    passwordVariable: Type.Optional(text({ description: 'Name of the environment variable that holds the password.' })),
    passwordFile: Type.Optional(text({ description: 'File with the password in its first line.' })),
  },
  { additionalProperties: false },
)

const entry = Type.Object(
  {
    sources: Type.Optional(sources('Addresses and networks that it comes from.')),
    certificates: Type.Optional(
      Type.Array(
        text({
          pattern: '^(\\*|sha256:[0-9a-fA-F:]+|[A-Za-z0-9._-]+)$',
          expects: 'a name, sha256: and a fingerprint, or *',
        }),
        {
          minItems: 1,
          maxItems: 1000,
          description:
            'Certificates, signed by sip.tls.caFile, one of which it shows over TLS: a name in it (subjectAltName; the common name where there is none), sha256: and its fingerprint, or * for every one.',
        },
      ),
    ),
    users: Type.Optional(
      Type.Array(user, {
        minItems: 1,
        maxItems: 1000,
        description: 'Users with their passwords, one of whom it proves to be (Digest); it is asked by 401.',
      }),
    ),
  },
  { additionalProperties: false },
)

/** Keys of the recorder about who is let in. */
export const admissionKeys = {
  admit: Type.Array(entry, {
    maxItems: 100,
    default: [],
    description:
      'Who may send recordings by what it proves, beside sources. All that an entry names must hold, one entry is enough, everybody else gets 403 before its body is read; empty: whoever is in sources.',
  }),
  digest: section('How users of admit are asked who they are (RFC 8760): SHA-256 first, then SHA-512-256.', {
    realm: text({
      default: 'siprec',
      pattern: '^[^"\\\\\\x00-\\x1f\\x7f]*$',
      expects: 'a text without quotes',
      description: 'Realm of the challenges; a client chooses its password by it.',
    }),
    allowMd5: Type.Boolean({
      default: false,
      description: 'Offer and take MD5 too, for clients that know nothing better.',
    }),
    withinDialogs: Type.Enum(['other-source', 'always', 'never'], {
      default: 'other-source',
      description:
        'Which requests of a session under way must prove it again: other-source, those from another address than the one that proved it; always; or never.',
    }),
    maxFailures: integer(
      'Wrong passwords from an address within a minute, after which it gets 503 without a look at what it sends; one that has proved itself never does.',
      20,
      1,
      1_000_000,
    ),
    refuseSeconds: integer('For how long an address gets 503 then.', 60, 1, 86_400),
  }),
}
