// Asks an HTTP server of the configuration's list, and puts the answer into the context.

import { Type } from 'typebox'

import { nodeType } from '../node-type.ts'
import { contextPathField, store, textField } from './fields.ts'

const headersField = () =>
  Type.Record(Type.String(), textField(), { default: {}, description: 'a mapping of header names to texts' })

/**
 * `httpRequest {url, method, headers, body, timeoutMs, into}`; `into` gets `{result, status, body}`, where `result` is `answered`,
 * `forbidden`, `timeout`, `too-large`, `hangup` or `failed`. A body is sent as JSON; one that comes as JSON is taken apart.
 */
export const httpRequest = nodeType(
  'httpRequest',
  {
    url: textField({ minLength: 1 }),
    method: Type.Union(
      [Type.Literal('GET'), Type.Literal('POST'), Type.Literal('PUT'), Type.Literal('PATCH'), Type.Literal('DELETE')],
      { default: 'GET' },
    ),
    headers: headersField(),
    body: Type.Optional(Type.Unknown({ description: 'any JSON' })),
    timeoutMs: Type.Integer({ minimum: 1, maximum: 60_000, default: 5_000 }),
    into: contextPathField(),
  },
  ({ url, method, headers, body, timeoutMs, into }, loader) => {
    const urlOf = loader.text('url', url)
    const headersOf = loader.value('headers', headers)
    const bodyOf = body === undefined ? undefined : loader.value('body', body)
    return async (run) => {
      const outcome = await run.call.request({
        url: await urlOf(run),
        method,
        headers: textsOf(await headersOf(run)),
        ...(bodyOf === undefined ? {} : { body: await bodyOf(run) }),
        timeoutMs,
      })
      const { result, status } = outcome
      const fields = { node: loader.label, result, ...(status === undefined ? {} : { status }) }
      if (result === 'answered') run.log.info('flow request done', fields)
      else run.log.warn('flow request failed', fields)
      store(run, loader.label, into, outcome)
      return 'next'
    }
  },
)

function textsOf(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(Object(value)).map(([name, text]) => [name, String(text)]))
}
