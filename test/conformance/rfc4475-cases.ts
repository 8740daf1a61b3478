// The 49 messages of RFC 4475 and what is to become of each: in the parser, and in a user agent that takes
// INVITE, OPTIONS and MESSAGE but is no registrar.

/** Accepted by the parser, refused with a status, or dropped in silence. */
export type ParseOutcome = 'accepted' | 'dropped' | number

/** Handed to the user, ignored, or answered by the core with this status. */
export type StackOutcome = 'delivered' | 'ignored' | number

/** One message of the collection. */
export interface TortureCase {
  readonly file: string
  /** Section of RFC 4475. */
  readonly section: string
  readonly parse: ParseOutcome
  readonly stack: StackOutcome
}

/** All messages, in the order of the RFC. */
export const tortureCases: readonly TortureCase[] = [
  // A To tag that we never gave out: there is no such dialog (RFC 3261 section 12.2.2).
  of('wsinv', '3.1.1.1', 'accepted', 481),
  // Unknown methods: the RFC suggests 501, RFC 3261 section 8.2.1 asks for 405 with Allow.
  of('intmeth', '3.1.1.2', 'accepted', 405),
  of('esc01', '3.1.1.3', 'accepted', 'delivered'),
  of('escnull', '3.1.1.4', 'accepted', 405),
  of('esc02', '3.1.1.5', 'accepted', 405),
  of('lwsdisp', '3.1.1.6', 'accepted', 200),
  of('longreq', '3.1.1.7', 'accepted', 'delivered'),
  of('dblreq', '3.1.1.8', 'accepted', 405),
  of('semiuri', '3.1.1.9', 'accepted', 200),
  of('transports', '3.1.1.10', 'accepted', 200),
  of('mpart01', '3.1.1.11', 'accepted', 'delivered'),
  of('unreason', '3.1.1.12', 'accepted', 'ignored'),
  of('noreason', '3.1.1.13', 'accepted', 'ignored'),
  of('badinv01', '3.1.2.1', 400, 400),
  of('clerr', '3.1.2.2', 400, 400),
  of('ncl', '3.1.2.3', 400, 400),
  of('scalar02', '3.1.2.4', 400, 400),
  of('scalarlg', '3.1.2.5', 'dropped', 'ignored'),
  of('quotbal', '3.1.2.6', 400, 400),
  of('ltgtruri', '3.1.2.7', 400, 400),
  of('lwsruri', '3.1.2.8', 400, 400),
  of('lwsstart', '3.1.2.9', 400, 400),
  of('trws', '3.1.2.10', 400, 400),
  of('escruri', '3.1.2.11', 400, 400),
  // Date means nothing to us, so a bad one is no reason to refuse.
  of('baddate', '3.1.2.12', 'accepted', 'delivered'),
  of('regbadct', '3.1.2.13', 400, 400),
  of('badaspec', '3.1.2.14', 400, 400),
  of('baddn', '3.1.2.15', 400, 400),
  of('badvers', '3.1.2.16', 505, 505),
  of('mismatch01', '3.1.2.17', 400, 400),
  of('mismatch02', '3.1.2.18', 501, 501),
  of('bigcode', '3.1.2.19', 'dropped', 'ignored'),
  of('badbranch', '3.2.1', 400, 400),
  of('insuf', '3.3.1', 400, 400),
  of('unkscm', '3.3.2', 'accepted', 416),
  of('novelsc', '3.3.3', 'accepted', 416),
  of('unksm2', '3.3.4', 'accepted', 405),
  of('bext01', '3.3.5', 'accepted', 420),
  of('invut', '3.3.6', 'accepted', 415),
  of('regaut01', '3.3.7', 'accepted', 405),
  of('multi01', '3.3.8', 400, 400),
  of('mcl01', '3.3.9', 400, 400),
  of('bcast', '3.3.10', 'accepted', 'ignored'),
  of('zeromf', '3.3.11', 'accepted', 200),
  of('cparam01', '3.3.12', 'accepted', 405),
  of('cparam02', '3.3.13', 'accepted', 405),
  of('regescrt', '3.3.14', 'accepted', 405),
  // Accept without application/sdp: 406 would be allowed, but our answer to the offer is what an INVITE always implies.
  of('sdp01', '3.3.15', 'accepted', 'delivered'),
  of('inv2543', '3.4.1', 'accepted', 'delivered'),
]

function of(file: string, section: string, parse: ParseOutcome, stack: StackOutcome): TortureCase {
  return { file, section, parse, stack }
}
