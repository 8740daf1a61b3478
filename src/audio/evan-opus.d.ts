// The WebAssembly build of @evan/opus, of which the package has no types.

declare module '@evan/opus/wasm/index.js' {
  export interface WasmOpusDecoder {
    /** 16-bit samples in the order of this machine; throws on a payload that is no Opus. */
    decode(payload: Uint8Array): Uint8Array
  }
  export interface WasmOpusEncoder {
    /** One frame of 16-bit samples. */
    encode(samples: Int16Array): Uint8Array
  }
  const opus: {
    readonly Encoder: new (options: {
      readonly channels: 1
      readonly sample_rate: 48_000
      readonly application: 'voip'
    }) => WasmOpusEncoder
    readonly Decoder: new (options: { readonly channels: 1; readonly sample_rate: 8000 }) => WasmOpusDecoder
  }
  export default opus
}
