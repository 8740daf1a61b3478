export type {
  CallCounters,
  EngineCapabilities,
  ForkCounters,
  ForkOptions,
  ForkRemote,
  GateReceipt,
  LegMedia,
  MediaCall,
  MediaCodec,
  MediaEngine,
  MediaEvent,
  MediaLocal,
  MediaRemote,
  PlayEnd,
  Prompt,
  StreamCounters,
  Tap,
  TapPoint,
} from './media-engine.ts'
export { bindPortPair, closeSocket, type PortPair, PortPool } from './port-pool.ts'
export { createWorkerEngine, type WorkerEngineOptions } from './worker/worker-engine.ts'
