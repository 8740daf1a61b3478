// A client of the HTTP API that checks every JSON answer against the program's own OpenAPI description.

import assert from 'node:assert/strict'
import Schema from 'typebox/schema'

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: the description is what says what it is
  readonly body: any
}

interface Description {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, ResponseDescription>> }>>>
  >
}

interface ResponseDescription {
  readonly content?: Readonly<Record<string, { readonly schema: object }>>
}

/** Asks a program; `path` is of the description, with `{names}` that `params` gives. */
export interface DescribedApi {
  ask(method: 'get' | 'post' | 'delete', path: string, options?: AskOptions): Promise<Answer>
  /** A document that is no JSON. */
  text(path: string, params: Readonly<Record<string, string>>): Promise<string>
}

/** What goes into a request. */
export interface AskOptions {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: string
  readonly body?: object
}

/** Reads the description of a program. */
export async function describedApi(httpUrl: string): Promise<DescribedApi> {
  const description = (await (await fetch(`${httpUrl}/api/openapi.json`)).json()) as Description
  const placeOf = (path: string, params: Readonly<Record<string, string>>): string =>
    httpUrl + path.replace(/\{(\w+)\}/g, (_whole, name: string) => encodeURIComponent(params[name] ?? ''))
  return {
    text: async (path, params) => await (await fetch(placeOf(path, params))).text(),
    ask: async (method, path, { params = {}, query, body } = {}) => {
      const url = placeOf(path, params) + (query === undefined ? '' : `?${query}`)
      const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
      const answer = await fetch(url, { method: method.toUpperCase(), ...(body === undefined ? {} : json) })
      const responses = description.paths[path]?.[method]?.responses ?? {}
      const described = responses[answer.status] ?? responses[`${String(answer.status)[0]}XX`]
      const schema = described?.content?.['application/json']?.schema
      assert.ok(schema, `${method} ${path}: ${answer.status} is described`)
      const value: unknown = await answer.json()
      const [fits, faults] = Schema.Errors(schema, value)
      assert.ok(fits, `${method} ${url}: ${JSON.stringify(faults)}`)
      return { status: answer.status, body: value }
    },
  }
}
