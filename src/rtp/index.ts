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
} from './rtcp.ts'
export { ntpFromWallMs, rtcpIntervalMs, wallMsFromNtp } from './rtcp-timing.ts'
export {
  type SequenceKind,
  SequenceTracker,
  type SequenceVerdict,
  sequenceDistance,
  timestampDistance,
} from './sequence.ts'
export { type TelephoneEvent, TelephoneEventDetector } from './telephone-event.ts'
