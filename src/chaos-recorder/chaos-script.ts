// A script of misbehaviour as data: on this message, do that. What no rule covers is done as a polite recorder does it.

import { type Static, type TSchema, Type } from 'typebox'
import { Check } from 'typebox/value'
import { err, ok, type Result } from '#kernel'

const whole = (minimum: number, maximum: number) => Type.Integer({ minimum, maximum })
const flag = Type.Literal(true)
const seconds = whole(0, 86_400)

const answer = Type.Object(
  {
    lines: Type.Optional(Type.Enum(['fewer', 'more', 'reversed'])),
    labels: Type.Optional(Type.Enum(['wrong', 'none', 'swapped'])),
    direction: Type.Optional(Type.Enum(['sendrecv', 'sendonly', 'recvonly', 'inactive'])),
    /** Streams answered with port 0, counted from 1. */
    refuse: Type.Optional(Type.Array(whole(1, 64))),
    codecs: Type.Optional(Type.Literal('other')),
    body: Type.Optional(Type.Enum(['multipart', 'none', 'broken'])),
    address: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    profile: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    contact: Type.Optional(Type.Boolean()),
    featureTag: Type.Optional(Type.Boolean()),
    /** A second 200 with another tag, as behind a forking proxy. */
    twice: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)

const refusal = Type.Object(
  {
    status: whole(300, 699),
    retryAfterSeconds: Type.Optional(seconds),
    /** Value of Reason (RFC 3326). */
    reason: Type.Optional(Type.String({ maxLength: 200 })),
    /** Value of Contact, for a redirection. */
    contact: Type.Optional(Type.String({ maxLength: 200 })),
    /** Value of Accept, for 415. */
    accept: Type.Optional(Type.String({ maxLength: 200 })),
  },
  { additionalProperties: false },
)

const sending = Type.Object(
  {
    method: Type.Enum(['reinvite', 'update', 'info', 'snapshot', 'options', 'bye']),
    direction: Type.Optional(Type.Enum(['sendrecv', 'sendonly', 'recvonly', 'inactive'])),
    refuse: Type.Optional(Type.Array(whole(1, 64))),
    reason: Type.Optional(Type.String({ maxLength: 200 })),
  },
  { additionalProperties: false },
)

/** The value of each action, by its name; an action is an object with one of these keys. */
const actionValues = {
  /** Milliseconds until the next action. */
  delay: whole(0, 600_000),
  /** The message is not answered. */
  silent: flag,
  /** CANCEL is answered 200, but the INVITE is left to its own rule. */
  ignore: flag,
  /** A provisional response. */
  progress: whole(100, 199),
  refuse: refusal,
  /** 200 with an answer. */
  answer,
  send: sending,
  /** Nothing is answered any more, whatever comes, and RTP ports close. */
  vanish: flag,
  /** `connection`: that of the message; `rtp`: the media ports, so that packets meet ICMP. */
  close: Type.Enum(['connection', 'rtp']),
  /** No receiver reports any more. */
  rtcp: Type.Literal('stop'),
} satisfies Readonly<Record<string, TSchema>>

type ActionName = keyof typeof actionValues

/** One thing to do. */
export type ChaosAction = {
  [Name in ActionName]: { readonly [Key in Name]: Static<(typeof actionValues)[Name]> }
}[ActionName]

/** How an answer departs from a good one. */
export type AnswerChange = Static<typeof answer>
/** How a request is refused. */
export type Refusal = Static<typeof refusal>
/** A request of the recorder's own. */
export type Sending = Static<typeof sending>

const triggers = ['invite', 'reinvite', 'update', 'info', 'bye', 'ack', 'options', 'cancel', 'after-ms'] as const

/** What a rule waits for; `after-ms` counts from the first 200 of a session. */
export type ChaosTrigger = (typeof triggers)[number]

/** One rule; the first that applies is used. */
export interface ChaosRule {
  readonly on: ChaosTrigger
  /** Milliseconds, for `after-ms`. */
  readonly ms?: number
  /** Messages of the kind that are let pass first; none unless told. */
  readonly skip?: number
  /** How often the rule is used; always unless told. */
  readonly times?: number
  readonly do: readonly ChaosAction[]
}

/** A script. */
export interface ChaosScript {
  readonly about: string
  readonly rules: readonly ChaosRule[]
}

const shell = Type.Object(
  {
    about: Type.Optional(Type.String()),
    rules: Type.Array(
      Type.Object(
        {
          on: Type.Enum([...triggers]),
          ms: Type.Optional(whole(0, 3_600_000)),
          skip: Type.Optional(whole(0, 1000)),
          times: Type.Optional(whole(1, 1000)),
          do: Type.Array(Type.Object({})),
        },
        { additionalProperties: false },
      ),
      { maxItems: 100 },
    ),
  },
  { additionalProperties: false },
)

/** Reads a script from parsed YAML or JSON; the error says which rule or action is wrong. */
export function readChaosScript(value: unknown): Result<ChaosScript, string> {
  if (!Check(shell, value)) {
    return err(
      `a script has a list "rules", and each rule "on" (${triggers.join(', ')}), "do", and perhaps ms, skip, times`,
    )
  }
  const script = value as { readonly about?: string; readonly rules: readonly ChaosRule[] }
  for (const [index, rule] of script.rules.entries()) {
    const where = `rule ${index + 1}`
    if ((rule.on === 'after-ms') !== (rule.ms !== undefined))
      return err(`${where}: "ms" belongs to on: after-ms, and to it alone`)
    for (const [at, action] of rule.do.entries()) {
      const problem = actionProblem(action)
      if (problem !== undefined) return err(`${where}, action ${at + 1}: ${problem}`)
    }
  }
  return ok({ about: script.about ?? '', rules: script.rules })
}

function actionProblem(action: object): string | undefined {
  const [entry, ...more] = Object.entries(action)
  if (entry === undefined || more.length > 0) return 'an action is one key with its value'
  const [name, value] = entry
  const schema = (actionValues as Readonly<Record<string, TSchema>>)[name]
  if (schema === undefined) return `unknown action ${name}; known are ${Object.keys(actionValues).join(', ')}`
  return Check(schema, value) ? undefined : `${name} has a value that it cannot have`
}
