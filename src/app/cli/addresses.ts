// Addresses and port ranges as command line arguments.

import { isIP } from 'node:net'
import { AppError, type Endpoint } from '#kernel'

/** `address:port` with an IP literal, brackets around IPv6; throws AppError `app.argument-invalid`. */
export function endpointOf(text: string): Endpoint {
  const colon = text.lastIndexOf(':')
  const host = text.slice(0, colon).replace(/^\[|\]$/g, '')
  const port = Number(text.slice(colon + 1))
  if (isIP(host) === 0 || !isPort(port)) throw invalidArgument(`${text} is not address:port with an IP address`)
  return { host, port }
}

/** `first-last`; throws AppError `app.argument-invalid`. */
export function portRangeOf(text: string): { readonly portMin: number; readonly portMax: number } {
  const [portMin = Number.NaN, portMax = Number.NaN] = text.split('-').map(Number)
  if (!isPort(portMin) || !isPort(portMax) || portMin === 0 || portMax < portMin + 3) {
    throw invalidArgument(`${text} is not a range of at least four ports, first-last`)
  }
  return { portMin, portMax }
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65_535
}

/** A wrong argument: AppError `app.argument-invalid`. */
export function invalidArgument(message: string): AppError {
  return new AppError('app.argument-invalid', message, { result: 'client', reason: 'argument-invalid' })
}
