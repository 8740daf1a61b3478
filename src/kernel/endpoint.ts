// Host and port, the pair that every socket talk is about.

/** An address to send to or listen on; `host` is an IP literal without brackets, or a name where said so. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** `host:port`, with brackets around IPv6 literals. */
export function endpointText(endpoint: Endpoint): string {
  return endpoint.host.includes(':') ? `[${endpoint.host}]:${endpoint.port}` : `${endpoint.host}:${endpoint.port}`
}

/** Whether both name the same host text and port. */
export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && a.host === b.host
}
