export { codecsOf, type SdpCodec } from './codec.ts'
export {
  answeredCrypto,
  type CryptoPair,
  type CryptoSuite,
  cryptoAttribute,
  cryptosOf,
  isSecureProtocol,
  offeredCryptos,
  pairOfAnswer,
  readCrypto,
  type SdpCrypto,
} from './crypto.ts'
export { deliveryPaceAttribute, deliveryPaceOf } from './delivery-pace.ts'
export {
  answerDirection,
  type Direction,
  directionOf,
  holdOf,
  receives,
  reverseDirection,
  sends,
} from './direction.ts'
export { type KeptDescription, LocalDescription, type LocalMedia, withoutOldKeys } from './local-description.ts'
export { negotiateCodecs, refusedMedia } from './negotiate.ts'
export { type ParsedSdp, parseSdp, type SdpError } from './parser.ts'
export {
  offeredPictureRequests,
  type PictureRequest,
  pictureRequestAttributes,
  pictureRequestOf,
} from './picture-request.ts'
export {
  type RecordPreference,
  type RecordState,
  recordAttribute,
  recordPreferenceOf,
  recordStateOf,
  strongestRecord,
} from './recording-attributes.ts'
export {
  attributeOf,
  hasNullAddress,
  isToken,
  labelOf,
  remoteOf,
  type SdpAttribute,
  type SdpConnection,
  type SdpMedia,
  type SdpOrigin,
  type SessionDescription,
} from './session-description.ts'
