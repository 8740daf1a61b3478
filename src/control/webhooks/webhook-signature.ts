// Signatures of webhooks: HMAC-SHA256 over id, time and body, in the form of Standard Webhooks.

import { createHmac } from 'node:crypto'

/** Headers by which a target knows that an event is ours, is fresh, and is the same one again; `timestamp` in seconds since 1970. */
export function signedHeaders(secret: string, id: string, timestamp: number, body: string): Record<string, string> {
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')
  return {
    'webhook-id': id,
    'webhook-timestamp': `${timestamp}`,
    'webhook-signature': `v1,${signature}`,
    'idempotency-key': id,
  }
}
