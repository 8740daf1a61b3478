// Why our own recorder refused an invitation, and what to do, by the reason that it gives.

const words: readonly (readonly [reason: RegExp, text: string])[] = [
  [
    /^not-listed$/,
    'The sender is not listed: add its network or its certificate to recorder.sources or recorder.admit.',
  ],
  [
    /^no-credentials$/,
    'It was asked who it is and gave no password, or knows no algorithm that is offered (recorder.digest.allowMd5 adds MD5).',
  ],
  [
    /^wrong-credentials$/,
    'User, password or realm are wrong, or the user is not known for that network (recorder.admit).',
  ],
  [
    /^too-many-guesses$/,
    'Too many passwords from that address were wrong: correct it at the client; the address is listened to again after recorder.digest.refuseSeconds.',
  ],
  [/^(?:unknown|stale)-nonce$/, 'It answered an old challenge and did not come again with the new one.'],
  [/^draining$/, 'The recorder is being stopped and takes nothing new.'],
  [/^disk /, 'The disk of the recordings has no room, or takes nothing: see recorder.store and the log.'],
  [/^too many sessions of this source$/, 'That sender has as many sessions as it may.'],
  [/^too many sessions$/, 'There are as many sessions as may be (recorder.maxSessions).'],
  [/^plain-call$/, 'It is an ordinary call without any sign of SIPREC; recorder.plainCalls: record takes these too.'],
  [/^unknown-part /, 'A part of the body must be understood, and is not.'],
  [/^Message Too Large$/i, 'It is larger than 64 kB, or says that it is.'],
  [/^Bad Request$/i, 'It cannot be read: over TCP and TLS, look at Content-Length first.'],
  [
    /^[a-z0-9-]+(?:, [a-z0-9-]+)*$/,
    'The profile of this client refuses what departs from the RFCs (strict: refuse): the codes are under Recorder vendors in the documents; tolerate lets some of them pass.',
  ],
]

/** A sentence or two for people; undefined: the reason says it all. */
export function refusalWords(reason: string): string | undefined {
  return words.find(([pattern]) => pattern.test(reason))?.[1]
}
