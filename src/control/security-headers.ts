// What browsers are told about every answer.

import type { FastifyReply } from 'fastify'

/** Answers are data: no page, no script, no frame, nobody else's; the console's page replaces the policy by its own. */
const CONTENT_SECURITY_POLICY = "default-src 'none'; frame-ancestors 'none'"
const YEAR_SECONDS = 31_536_000

/** Sets the headers; `isSecure`: the connection is TLS, and browsers shall stay with it. */
export function setSecurityHeaders(reply: FastifyReply, isSecure: boolean): void {
  reply
    .header('x-content-type-options', 'nosniff')
    .header('cache-control', 'no-store')
    .header('content-security-policy', CONTENT_SECURITY_POLICY)
    .header('cross-origin-resource-policy', 'same-origin')
    .header('referrer-policy', 'no-referrer')
    .header('x-frame-options', 'DENY')
  if (isSecure) reply.header('strict-transport-security', `max-age=${YEAR_SECONDS}`)
}
