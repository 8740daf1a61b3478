// What we use of libflacjs; the variant of the file named works without reading anything over the network.

declare module 'libflacjs/dist/libflac.min.js' {
  interface Flac {
    isReady(): boolean
    on(event: 'ready', listener: () => void): void
    /** 0: there is no encoder. */
    create_libflac_encoder(
      sampleRateHz: number,
      channels: number,
      bitsPerSample: number,
      compression: number,
      totalSamples: number,
      verify: boolean,
    ): number
    /** 0: good. */
    init_encoder_stream(encoder: number, onBytes: (bytes: Uint8Array, count: number) => void): number
    FLAC__stream_encoder_process_interleaved(encoder: number, samples: Int32Array, frames: number): boolean
    FLAC__stream_encoder_finish(encoder: number): number
    FLAC__stream_encoder_delete(encoder: number): void
  }
  const flac: Flac
  export default flac
}
