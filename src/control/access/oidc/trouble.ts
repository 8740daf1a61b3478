// Why a sign-in by the provider came to nothing: stable names, and what a person is told. What the provider said is never part of it.

/** Reasons; `away`: the provider is not to be had. */
export type SignInTrouble =
  | 'away'
  | 'denied'
  | 'expired'
  | 'clock'
  | 'refused'
  | 'not-believed'
  | 'not-allowed'
  | 'no-role'

/** What a reason is for HTTP and for a reader. */
export interface TroubleText {
  readonly status: number
  readonly title: string
  readonly text: string
}

/** Each reason in words. */
export const troubleTexts: Readonly<Record<SignInTrouble, TroubleText>> = {
  away: {
    status: 503,
    title: 'The sign-in service does not answer',
    text: 'It could not be reached, or what it said of itself cannot be used. Try again in a moment. A local account, where you have one, works meanwhile.',
  },
  denied: {
    status: 403,
    title: 'You did not sign in',
    text: 'The sign-in was cancelled, or the sign-in service does not let you use this program. Sign in again, or ask whoever runs the sign-in service.',
  },
  expired: {
    status: 401,
    title: 'This sign-in is no longer good',
    text: 'It took longer than ten minutes, was used before, or was begun in another window or browser. Sign in again.',
  },
  clock: {
    status: 401,
    title: 'The clocks differ',
    text: 'What the sign-in service said is not valid at the time of this machine. Its clock or ours is wrong: have whoever runs this program look at the time of both machines.',
  },
  refused: {
    status: 401,
    title: 'The sign-in service refused',
    text: 'It refused to tell who you are. If this happens again, have whoever runs this program compare client id, secret and redirect address with what the sign-in service knows.',
  },
  'not-believed': {
    status: 401,
    title: 'The answer of the sign-in service cannot be believed',
    text: 'It was not made for this program or for this sign-in, or its signature is wrong. Sign in again; if this happens again, tell whoever runs this program.',
  },
  'not-allowed': {
    status: 403,
    title: 'Your account may not be used here',
    text: 'You did sign in, but this program takes only accounts of certain domains or groups. Ask whoever runs this program.',
  },
  'no-role': {
    status: 403,
    title: 'Your account has no role here',
    text: 'You did sign in, but none of your groups has a role in this program. Ask whoever runs this program for one.',
  },
}
