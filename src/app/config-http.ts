// Configuration of the HTTP API and the console.

import { Type } from 'typebox'
import { integer, ipAddress, LOOPBACK, role, section } from './config-leaf.ts'

/** The section `http`. */
export const http = role('The HTTP API and console; off when left out.', {
  host: ipAddress({ default: LOOPBACK, description: 'IP address to bind to.' }),
  port: integer('Port; 0 lets the system choose.', 8080, 0, 65_535),
  console: Type.Boolean({ default: true, description: 'Serve the web console at /.' }),
  events: section('Events over WebSocket, server-sent events and as a list.', {
    keep: integer('Latest events that are kept for those who come back.', 5_000, 100, 1_000_000),
  }),
})
