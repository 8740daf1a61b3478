// The WebAssembly build of @evan/opus, of which the package has no types.

declare module '@evan/opus/wasm/index.js' {
  interface Options {
    readonly channels: 1 | 2
    readonly sample_rate: 8000 | 16_000 | 48_000
  }
  export interface WasmOpusDecoder {
    /** 16-bit samples in the order of this machine, in a buffer that the next call uses again; throws on a payload that is no Opus. */
    decode(payload: Uint8Array): Uint8Array
  }
  export interface WasmOpusEncoder {
    /** One frame of 16-bit samples. */
    encode(samples: Int16Array): Uint8Array
    ctl(request: number): number
    bitrate: number
  }
  const opus: {
    readonly Encoder: new (options: Options & { readonly application: 'voip' }) => WasmOpusEncoder
    readonly Decoder: new (options: Options) => WasmOpusDecoder
  }
  export default opus
}
