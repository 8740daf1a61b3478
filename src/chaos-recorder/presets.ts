// Named scripts: the ways in which recorders of the field are known to fail.

import type { AnswerChange, ChaosAction, ChaosRule, ChaosScript, ChaosTrigger, Refusal } from './chaos-script.ts'

const polite: ChaosScript = { about: 'does everything right', rules: [] }

const script = (about: string, ...rules: readonly ChaosRule[]): ChaosScript => ({ about, rules })
const on = (trigger: ChaosTrigger, ...actions: readonly ChaosAction[]): ChaosRule => ({ on: trigger, do: actions })
const after = (ms: number, ...actions: readonly ChaosAction[]): ChaosRule => ({ on: 'after-ms', ms, do: actions })
const refuse = (status: number, more: Omit<Refusal, 'status'> = {}): ChaosAction => ({ refuse: { status, ...more } })
const answering = (about: string, change: AnswerChange): ChaosScript => script(about, on('invite', { answer: change }))
/** The same answer to the first offer and to every later one. */
const always = (about: string, change: AnswerChange): ChaosScript =>
  script(about, on('invite', { answer: change }), on('reinvite', { answer: change }), on('update', { answer: change }))
const silent: ChaosAction = { silent: true }
const bye: ChaosAction = { send: { method: 'bye' } }
const reinvite: ChaosAction = { send: { method: 'reinvite' } }

/** Every preset by its name. */
export const presets: Readonly<Record<string, ChaosScript>> = {
  polite,
  // Before the answer.
  silent: script('answers nothing at all', on('invite', silent), on('cancel', silent), on('options', silent)),
  trying: script('answers 100 and nothing more', on('invite', { progress: 100 }, silent)),
  ringing: script('rings for ever', on('invite', { progress: 180 }, silent)),
  slow: script('answers after four seconds', on('invite', { progress: 100 }, { delay: 4000 }, { answer: {} })),
  late: script('answers after ten seconds', on('invite', { progress: 100 }, { delay: 10_000 }, { answer: {} })),
  'late-after-cancel': script(
    'answers 200 two seconds after the INVITE was cancelled',
    on('invite', { progress: 180 }, { delay: 12_000 }, { answer: {} }),
    on('cancel', { ignore: true }),
  ),
  busy: script('refuses with 486', on('invite', refuse(486))),
  unavailable: script('refuses with 503 and Retry-After', on('invite', refuse(503, { retryAfterSeconds: 30 }))),
  'server-error': script('refuses with 500', on('invite', refuse(500))),
  forbidden: script('refuses with 403', on('invite', refuse(403))),
  'not-a-recorder': script('refuses with 420', on('invite', refuse(420))),
  'not-acceptable': script('refuses with 488', on('invite', refuse(488))),
  decline: script('refuses with 603', on('invite', refuse(603, { reason: 'SIP;cause=603;text="do not record"' }))),
  'old-media-type': script('takes only the media type of the drafts', {
    ...on('invite', refuse(415, { accept: 'application/sdp, application/rs-metadata' })),
    times: 1,
  }),
  redirect: script(
    'redirects to an address where nobody is',
    on('invite', refuse(302, { contact: '<sip:127.0.0.1:9>' })),
  ),
  // Wrong answers.
  'fewer-lines': answering('answers with one m-line fewer', { lines: 'fewer' }),
  'more-lines': answering('answers with one m-line more', { lines: 'more' }),
  'reversed-lines': answering('answers with the m-lines in reverse', { lines: 'reversed' }),
  'wrong-labels': always('answers with labels of its own', { labels: 'wrong' }),
  'swapped-labels': always('answers with the labels exchanged', { labels: 'swapped' }),
  'no-labels': always('answers without labels', { labels: 'none' }),
  sendrecv: always('answers sendrecv', { direction: 'sendrecv' }),
  inactive: answering('answers inactive', { direction: 'inactive' }),
  'refuses-first-stream': always('refuses the first stream', { refuse: [1] }),
  'refuses-all-streams': always('refuses all streams', { refuse: [1, 2] }),
  'other-codecs': always('answers with a codec that was not offered', { codecs: 'other' }),
  multipart: always('answers in a multipart', { body: 'multipart' }),
  'no-feature-tag': always('answers without +sip.srs', { featureTag: false }),
  'no-contact': answering('answers without Contact', { contact: false }),
  'no-sdp': answering('answers without SDP', { body: 'none' }),
  'broken-sdp': answering('answers with SDP that cannot be read', { body: 'broken' }),
  'broken-reanswer': script(
    'answers re-INVITEs with SDP that cannot be read',
    on('reinvite', { answer: { body: 'broken' } }),
  ),
  'no-reanswer': script('answers re-INVITEs without SDP', on('reinvite', { answer: { body: 'none' } })),
  'null-address': always('answers with the address 0.0.0.0', { address: '0.0.0.0' }),
  'unknown-profile': always('answers with a profile that was not offered', { profile: 'RTP/FOO' }),
  twice: answering('answers twice with different tags', { twice: true }),
  // Re-offers.
  'reinvite-491': script('refuses every re-INVITE with 491', on('reinvite', refuse(491)), on('update', refuse(491))),
  'reinvite-491-once': script('refuses one re-INVITE with 491', { ...on('reinvite', refuse(491)), times: 1 }),
  'reinvite-488': script('refuses every re-INVITE with 488', on('reinvite', refuse(488)), on('update', refuse(488))),
  'reinvite-500': script(
    'refuses every re-INVITE with 500 and Retry-After',
    on('reinvite', refuse(500, { retryAfterSeconds: 3 })),
    on('update', refuse(500, { retryAfterSeconds: 3 })),
  ),
  'reinvite-603': script('refuses every re-INVITE with 603', on('reinvite', refuse(603)), on('update', refuse(603))),
  'reinvite-481': script('knows no dialog at a re-INVITE', on('reinvite', refuse(481)), on('update', refuse(481))),
  'reinvite-408': script('answers re-INVITEs with 408', on('reinvite', refuse(408)), on('update', refuse(408))),
  'reinvite-silent': script('leaves re-INVITEs unanswered', on('reinvite', silent), on('update', silent)),
  'reinvite-slow': script('answers re-INVITEs after three seconds', on('reinvite', { delay: 3000 }, { answer: {} })),
  'reinvite-glare': script('answers a re-INVITE by one of its own and 491', {
    ...on('reinvite', reinvite, { delay: 20 }, refuse(491)),
    times: 2,
  }),
  'bye-at-reinvite': script('answers a re-INVITE and hangs up', on('reinvite', { answer: {} }, bye)),
  'bye-instead-of-reanswer': script('hangs up instead of answering a re-INVITE', on('reinvite', bye, refuse(481))),
  'vanish-at-reinvite': script('vanishes at a re-INVITE', on('reinvite', { vanish: true })),
  // Of its own accord.
  'reinvite-at-once': script('sends a re-INVITE right after its 200', on('invite', { answer: {} }, reinvite)),
  'reinvite-inactive': script(
    'pauses by a re-INVITE after one second',
    after(1000, { send: { method: 'reinvite', direction: 'inactive' } }),
  ),
  'reinvite-drops-stream': script(
    'refuses the first stream after one second',
    after(1000, { send: { method: 'reinvite', refuse: [1] } }),
  ),
  'update-inactive': script(
    'pauses by an UPDATE after one second',
    after(1000, { send: { method: 'update', direction: 'inactive' } }),
  ),
  snapshot: script('asks for a snapshot after one second', after(1000, { send: { method: 'snapshot' } })),
  info: script('sends INFO after one second', after(1000, { send: { method: 'info' } })),
  'bye-at-once': script('hangs up right after its 200', on('ack', bye)),
  'bye-with-200': script('hangs up in the moment of its 200', on('invite', { answer: {} }, bye)),
  'bye-later': script('hangs up after one second', after(1000, bye)),
  'vanish-with-200': script('vanishes after its 200', on('ack', { vanish: true })),
  'vanish-later': script('vanishes after one second', after(1000, { vanish: true })),
  'closes-connection': script('closes its connection after one second', after(1000, { close: 'connection' })),
  'closes-rtp': script('closes its RTP ports after one second', after(1000, { close: 'rtp' })),
  'no-rtcp': script('sends no RTCP', on('invite', { rtcp: 'stop' }, { answer: {} })),
  'bye-refused': script('refuses BYE with 481', on('bye', refuse(481))),
  'bye-silent': script('leaves BYE unanswered', on('bye', silent)),
}
