// The table of nodes for docs/flows.md, made from their schemas.

import { nodeTypes } from './nodes/registry.ts'
import { expectation } from './schema-check.ts'

const ABOUT: Readonly<Record<string, string>> = {
  answer: 'Answers the call.',
  play: 'Plays a WAV file of the folder `prompts`.',
  say: 'Speaks a text. `into` gets `{result}`: `finished`, `failed`, `stopped` or `hangup`.',
  collect: 'Collects digits. `into` gets `{digits, reason}`: `terminator`, `length`, `timeout` or `hangup`.',
  dial: 'Connects a callee. `into` gets `{result, sipStatus}`: `answered`, `busy`, `no-answer`, `rejected`, `failed` or `forbidden`.',
  join: 'Calls a further party into the talk. `into` gets `{result, sipStatus, leg}`.',
  leave: 'Lets the party of a `leg` go.',
  transfer:
    "Asks the caller's phone to call somebody else (REFER). Hangs up when the target has answered, else goes on. `into` gets " +
    '`{result, sipStatus}`: `refused`, `failed`, `forbidden` or `timeout`.',
  callRecording: 'Commands the recording of the call. `context.recording.last` gets `{status, text, results}`.',
  consent:
    'Asks whether the call may be recorded, with `file` or `text`, and starts the recording only after consent, which the recorders are told in `X-Recording-Consent: given;by=digit`. `context.consent` gets ' +
    '`{given, by, digit}`.',
  httpRequest:
    'Asks an HTTP server of `gateway.destinations.http`. `into` gets `{result, status, body}`: `answered`, `forbidden`, `timeout`, ' +
    '`too-large` or `failed`. Redirections are not followed.',
  wait: 'Waits.',
  set: 'Puts a value into the context.',
  if: 'Runs `then` or `else`; a condition that fails is false.',
  switch: 'Runs the nodes of the first case whose `when` has the text of `value`, or `default`.',
  repeat: 'Runs `nodes` again and again, at most `times`; `while` is asked before each round.',
  log: 'Writes a text to the log.',
  hangup: 'Ends the call.',
}

type Field = Parameters<typeof expectation>[0]

/** A section for each node: what it does, its fields, what belongs there, what holds when it is left out. */
export function nodeReference(): string {
  return [...nodeTypes.values()].flatMap(({ type, schema }) => sectionOf(type, schema)).join('\n')
}

function sectionOf(
  type: string,
  schema: { readonly properties: object; readonly required?: readonly string[] },
): string[] {
  const about = ABOUT[type]
  if (about === undefined) throw new Error(`the node ${type} is not described`)
  const fields = Object.entries(schema.properties as Record<string, Field>).filter(([name]) => name !== 'type')
  const rows = fields.map(
    ([name, field]) => `| \`${name}\` | ${cell(expectation(field))} | ${standardOf(name, field, schema)} |`,
  )
  const table = rows.length === 0 ? [] : ['| field | what belongs there | left out |', '|---|---|---|', ...rows, '']
  return [`### ${type}`, '', about, '', ...table]
}

function standardOf(
  name: string,
  field: Field & { readonly default?: unknown },
  schema: { readonly required?: readonly string[] },
): string {
  if (field.default !== undefined) return `\`${cell(JSON.stringify(field.default))}\``
  return schema.required?.includes(name) === true ? 'not allowed' : 'nothing'
}

function cell(text: string): string {
  return text.replace(' (in YAML, quote a text that starts with {{)', '').replaceAll('|', '\\|')
}
