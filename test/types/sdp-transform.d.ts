// The part of sdp-transform that the tests use as an independent reader.

declare module 'sdp-transform' {
  interface OracleMedia {
    readonly type: string
    readonly port: number
    readonly payloads: string
    readonly label?: string | number
  }
  export function parse(text: string): { readonly media: readonly OracleMedia[] }
}
