export { type Correlation, correlate, correlateAt } from './correlate.ts'
export { type AudioDecoder, audioDecoder, passingAudioDecoder } from './decoder.ts'
export { decodePcma, decodePcmu, encodePcma, encodePcmu, PCMA_SILENCE, PCMU_SILENCE } from './g711.ts'
export { G722Decoder } from './g722.ts'
export { INTERPOLATION_REACH, Interpolator } from './interpolator.ts'
export { KeyToneDetector } from './key-tone-detector.ts'
export { LevelMeter, type SoundWindow } from './level-meter.ts'
export { type NarrowbandDecoder, narrowbandDecoder, OPUS, READ_ALWAYS, silence } from './narrowband.ts'
export { OggOpusWriter } from './ogg-opus.ts'
export { hasOpus, loadOpus, type OpusDecoders } from './opus.ts'
export { loadOpusLibrary, type OpusEncoder, type OpusLibrary, type OpusRate } from './opus-library.ts'
export { type G711Prompt, promptFromWav, resample } from './prompt.ts'
export { goertzelPower, rmsDbfs, tone } from './tone.ts'
export {
  interleavePcm16,
  readWav,
  readWavHeader,
  WAV_HEADER_BYTES,
  type WavAudio,
  type WavError,
  type WavFormat,
  type WavShape,
  wavFrameBytes,
  wavHeader,
} from './wav.ts'
