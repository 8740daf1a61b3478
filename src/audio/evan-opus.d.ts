// What we use of @evan/opus; its own types are not found through its exports.

declare module '@evan/opus' {
  export class Decoder {
    constructor(options: { channels: 1 | 2; sample_rate: 8000 | 16000 | 48000 })
    /** 16-bit samples of the machine's byte order; throws for bytes that are no Opus packet. */
    decode(packet: Uint8Array): Uint8Array
  }
  export class Encoder {
    constructor(options: { channels: 1 | 2; sample_rate: 8000 | 16000 | 48000; application: 'voip' })
    /** One frame of 2.5 to 60 ms. */
    encode(samples: Int16Array): Uint8Array
    set bitrate(bitsPerSecond: number)
    get lookhead(): number
  }
}
