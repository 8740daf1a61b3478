export { buildFeedback, type RtcpFeedback } from './feedback.ts'
export {
  isRtcp,
  newRtpView,
  parseRtp,
  RTP_HEADER_BYTES,
  type RtpHeader,
  type RtpView,
  writeRtpHeader,
} from './packet.ts'
export { ReceptionStats } from './reception-stats.ts'
export { redundantBlocks } from './redundancy.ts'
export {
  buildBye,
  buildReceiverReport,
  buildSdes,
  buildSenderReport,
  compoundRtcp,
  parseRtcp,
  type ReportBlock,
  type RtcpPacket,
  type SenderReport,
  type SourceName,
} from './rtcp.ts'
export { ntpFromWallMs, rtcpIntervalMs, wallMsFromNtp } from './rtcp-timing.ts'
export { timestampDistance } from './sequence.ts'
export { SecureChannel, type SrtpIndices } from './srtp/secure-channel.ts'
export { MAX_SEAL_BYTES } from './srtp/srtp-cipher.ts'
export { type HeardSource, SrtpReceiver, SrtpSender } from './srtp/srtp-context.ts'
export { type SrtpKey, type SrtpKeys, type SrtpSuite, srtpSuites } from './srtp/suite.ts'
export { type TelephoneEvent, TelephoneEventDetector } from './telephone-event.ts'
