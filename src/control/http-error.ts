// Errors of the HTTP API: one shape, stable codes.

import type { FastifyError } from 'fastify'

import { AppError, type Logger, messageOf } from '#kernel'
import type { ErrorBody } from './contract.ts'

/** Thrown by a route to answer with an error. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly status: number
  readonly code: string
  readonly details: unknown

  constructor(status: number, code: string, message: string, details?: unknown) {
    super(message)
    this.status = status
    this.code = code
    this.details = details
  }
}

/** There is no such call, recording or part of one. */
export function notFound(what: string): HttpError {
  return new HttpError(404, 'not-found', `no such ${what}`)
}

/** What was looked for; throws HttpError 404 when there is none. */
export function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw notFound(what)
  return value
}

/** Status and body for anything that a route, a parser or the framework threw; only our own faults are logged, if `log` is there. */
export function errorAnswer(thrown: unknown, log?: Logger): { status: number; body: ErrorBody } {
  if (thrown instanceof HttpError) {
    const { status, code, message, details } = thrown
    return { status, body: details === undefined ? { code, message } : { code, message, details } }
  }
  if (thrown instanceof AppError && thrown.code === 'store.catalogue') {
    return {
      status: 503,
      body: { code: 'catalogue-away', message: 'the catalogue of recordings is not reachable now' },
    }
  }
  const error = thrown as Partial<FastifyError>
  if (error.validation !== undefined) {
    const details = error.validation.map(({ instancePath, message, params }) => ({
      path: `${error.validationContext ?? ''}${instancePath}`,
      expected: expectation(message, params),
    }))
    return { status: 400, body: { code: 'invalid-request', message: 'the request does not fit its schema', details } }
  }
  const status = error.statusCode ?? 500
  if (status < 500) return { status, body: { code: 'invalid-request', message: messageOf(thrown) } }
  log?.error('http request failed', { fault: messageOf(thrown) })
  return { status: 500, body: { code: 'internal', message: 'internal error' } }
}

function expectation(message = 'must fit the schema', params: Readonly<Record<string, unknown>>): string {
  const { allowedValues, additionalProperty } = params
  if (Array.isArray(allowedValues)) return `${message}: ${allowedValues.join(', ')}`
  return typeof additionalProperty === 'string' ? `${message}: ${additionalProperty}` : message
}
