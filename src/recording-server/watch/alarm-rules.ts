// What is wrong with the streams of a recording, the likely cause, and what helps. Streams that are on hold, inactive or paused are
// never judged; of one that only the metadata holds it is told if what comes is of no use.

import type { Alarm } from '#store'
import { compareAudio, type SameAudio } from './compared-sound.ts'
import type { StreamWatch } from './stream-watch.ts'

/** Packets are missed after so long. */
const PATIENCE_MS = 2500
/** Packets that cannot be used are told of when none that can came for so long. */
const UNUSABLE_MS = 1000
const LEAST_UNUSABLE = 5
/** What is under way when a pause begins has come by then, and a client that is asked has answered. */
const PAUSE_BEGUN_MS = 3000
const LEAST_IN_PAUSE = 5
/** Packets that came are missed after so long; where the client suppresses silence, later. */
const STOPPED_MS = 10_000
const STOPPED_QUIET_MS = 60_000
/** Judged by this much audio. */
const SOUND_MS = 2200
/** One step of A-law is at -72 dBFS. */
const SILENT_PEAK_DBFS = -71
const LOW_DBFS = -60
const CLIPPED_SHARE = 0.01
/** A clock that differs by as much is another clock. */
const CLOCK_RATIO = 1.6
/** Other literals may be written in several ways, and names mean any address. */
const IPV4 = /^\d+\.\d+\.\d+\.\d+$/
/** Whether streams carry the same is found out again so often. */
const SAME_AGAIN_MS = 5000
const SAME_HEALING_MS = 1000

/** What the judge of one recording remembers. */
export interface SameAudioMemory {
  checkedMs: number
  latest: SameAudio
}

/** What the rules go by. */
export interface AlarmRules {
  /** Our address for media. */
  readonly address: string
  /** A session without an active stream is told of after so long, in milliseconds; never at 0. */
  readonly inactiveMs: number
}

/** What is wrong with a stream by itself. */
export function streamAlarms(
  stream: StreamWatch,
  others: readonly StreamWatch[],
  nowMs: number,
  rules: AlarmRules,
): Alarm[] {
  if (!stream.isOpen) return sentInPause(stream, nowMs)
  const sinceMs = stream.silentForMs(nowMs)
  const silentForMs = stream.isExpected ? Math.min(sinceMs, stream.expectedForMs(nowMs)) : sinceMs
  const absent = silentForMs >= UNUSABLE_MS ? unusable(stream) : undefined
  if (absent !== undefined) return [absent]
  // Text comes when somebody types.
  if (!stream.isExpected || stream.settings.kind === 'text') return []
  if (stream.packets === 0) {
    const isDue = stream.expectedForMs(nowMs) >= PATIENCE_MS
    return isDue ? [missing(stream, others, rules)] : []
  }
  // A picture that stands still may need no packets for a while.
  const isQuietAllowed = stream.isQuietAllowed || stream.settings.kind === 'video'
  const stoppedAfterMs = isQuietAllowed ? STOPPED_QUIET_MS : STOPPED_MS
  if (silentForMs >= stoppedAfterMs) return [stopped(stream)]
  return [wrongClock(stream), silent(stream), clipped(stream), foreign(stream)].filter((alarm) => alarm !== undefined)
}

/** Two streams of one recording that both should send, and carry the same; `memory` is by pair. */
export function sameAudioAlarm(
  one: StreamWatch,
  other: StreamWatch,
  nowMs: number,
  memory: SameAudioMemory,
): Alarm | undefined {
  if (nowMs - memory.checkedMs >= (memory.latest.isSame ? SAME_HEALING_MS : SAME_AGAIN_MS)) {
    const verdict = compareAudio(one.sound.compared, other.sound.compared, memory.latest)
    if (verdict !== undefined) Object.assign(memory, { checkedMs: nowMs, latest: verdict })
  }
  if (!memory.latest.isSame) return undefined
  return {
    code: 'same-audio',
    severity: 'error',
    ...about(other),
    cause: `${nameOf(one)} and ${nameOf(other)} carry the same audio: one side is recorded twice and the other not at all, or both streams are a mix.`,
    fix: 'Let the client fork what each party sends, one party per label; look for a mixing or "both directions" setting of its recording profile.',
  }
}

/** Nothing of the session has been active since a moment; undefined while that is no reason to be told. */
export function inactiveAlarm(
  streams: readonly StreamWatch[],
  sinceMs: number,
  nowMs: number,
  { inactiveMs }: AlarmRules,
): Alarm | undefined {
  if (inactiveMs === 0 || nowMs - sinceMs < inactiveMs) return undefined
  const minutes = Math.round(inactiveMs / 60_000)
  const cause = streams.some(({ hasBegun }) => hasBegun)
    ? `The client has had every stream inactive or on hold for ${minutes} minutes, and nothing is recorded meanwhile.`
    : `The client has had every stream inactive for ${minutes} minutes, and has never sent any of them: nothing is recorded.`
  return {
    code: 'long-inactive',
    severity: 'warning',
    cause,
    fix: 'If the call goes on, let the client offer its streams as sendonly again; if it is over, let it end the session with BYE. recorder.inactiveAlarmMinutes says after how long this is told.',
  }
}

function sentInPause(stream: StreamWatch, nowMs: number): Alarm[] {
  const { silence } = stream
  if (silence !== 'paused' && silence !== 'asked') return []
  if (stream.silenceForMs(nowMs) < PAUSE_BEGUN_MS || stream.recent('accepted') < LEAST_IN_PAUSE) return []
  const words =
    silence === 'paused'
      ? {
          cause:
            'Packets come though the client has said that it sends none (a=inactive): they are counted, and not kept.',
          fix: 'Let the client stop sending when it pauses, so that nothing of the pause leaves it; if this is to be recorded, let it offer the stream as sendonly.',
        }
      : {
          cause:
            'Packets come though the recorder is paused and has asked the client to send none: they are counted, and not kept.',
          fix: 'See whether the client takes our offer of a=inactive (the log has its answer), and let it stop sending then; nothing of the pause is kept in any case.',
        }
  return [{ code: 'sent-in-pause', severity: 'warning', ...about(stream), ...words }]
}

function unusable(stream: StreamWatch): Alarm | undefined {
  if (stream.recent('unauthentic') >= LEAST_UNUSABLE) {
    return {
      code: 'srtp-failed',
      severity: 'error',
      ...about(stream),
      cause:
        'Packets come, but none authenticates under the SRTP key of the SDP: the keys differ, or the client sends plain RTP.',
      fix: 'See that the client encrypts with the key of its own a=crypto line and takes up new keys with each offer, or offer RTP/AVP.',
    }
  }
  if (stream.recent('payload-type') >= LEAST_UNUSABLE) {
    const wanted = stream.settings.codecs.map(({ payloadType, encoding }) => `${payloadType} ${encoding}`).join(', ')
    return {
      code: 'wrong-codec',
      severity: 'error',
      ...about(stream),
      cause: `Packets have payload type ${stream.refusedType}, which was not negotiated; agreed was ${wanted}.`,
      fix: 'Let the client send what its SDP and our answer have in common; offer the codec of the call, or transcode.',
    }
  }
  if (stream.recent('no-rtp') >= LEAST_UNUSABLE) {
    return {
      code: 'no-rtp',
      severity: 'error',
      ...about(stream),
      cause: `What comes to port ${stream.rtpPort} is not RTP.`,
      fix: 'See what sends there: another protocol, encryption that was not negotiated (DTLS, ZRTP), or a port of an earlier session.',
    }
  }
  return undefined
}

function missing(stream: StreamWatch, others: readonly StreamWatch[], rules: AlarmRules): Alarm {
  const { rtp } = stream.settings
  const way = `from ${rtp === undefined ? 'the client' : rtp.host} to ${rules.address}:${stream.rtpPort}`
  const isVideo = stream.settings.kind === 'video'
  const isOther = others.some((other) => other !== stream && other.isExpected && other.packets > 0)
  const fix = `Allow RTP (UDP) ${way} in firewalls and NAT, and let the client send this stream.`
  if (isOther) {
    return {
      code: 'one-side-only',
      severity: 'error',
      ...about(stream),
      cause: `No packet of ${nameOf(stream)}${isVideo ? ' (video)' : ''} came, while another stream of the session is received: the client does not send ${isVideo ? 'its picture, as with a camera that is off' : 'this side'}, or only its port is blocked.`,
      fix,
    }
  }
  const cause = stream.hasRtcp
    ? 'Only RTCP comes: the way is open, and the client sends no media.'
    : 'No packet came at all: a firewall or NAT is in the way, or the client sends to another address.'
  return { code: 'no-packets', severity: 'error', ...about(stream), cause, fix }
}

function stopped(stream: StreamWatch): Alarm {
  return {
    code: 'packets-stopped',
    severity: 'error',
    ...about(stream),
    cause: `Packets came${sourcesOf(stream)} and stopped, without hold, pause or end of the session.`,
    fix: 'See whether the call is still up at the client; if its party is on hold, let the client say so in SDP or metadata.',
  }
}

function wrongClock(stream: StreamWatch): Alarm | undefined {
  if (stream.settings.pace !== undefined) return undefined
  const clock = stream.clocks.find(({ measuredHz, wantedHz }) => {
    const ratio = measuredHz / wantedHz
    return ratio >= CLOCK_RATIO || ratio <= 1 / CLOCK_RATIO
  })
  if (clock === undefined) return undefined
  const measured = Math.round(clock.measuredHz / 100) * 100
  return {
    code: 'clock-mismatch',
    severity: 'error',
    ...about(stream),
    cause: `Timestamps${clock.ssrc === undefined ? '' : ` of SSRC ${clock.ssrc}`} run at about ${measured} Hz where the codec has ${clock.wantedHz} Hz: the recording plays at a wrong speed or with holes.`,
    fix: 'Let the client number RTP by the clock of the codec in its SDP (G.722: 8000, Opus: 48000), and its ptime be right.',
  }
}

function silent(stream: StreamWatch): Alarm | undefined {
  const { sound } = stream
  if (sound.heardMs < SOUND_MS || sound.loudestRmsDbfs >= LOW_DBFS) return undefined
  if (sound.loudestPeakDbfs <= SILENT_PEAK_DBFS) {
    return {
      code: 'digital-silence',
      severity: 'warning',
      ...about(stream),
      cause: `Packets come${sourcesOf(stream)}, and every sample in them is zero: a muted party, or a client that forks before the audio.`,
      fix: 'Ask whether the party is muted; if not, see where the client taps the call.',
    }
  }
  return {
    code: 'low-level',
    severity: 'warning',
    ...about(stream),
    cause: `Nothing on this stream is louder than ${Math.round(sound.loudestRmsDbfs)} dBFS: a party that only listens, a very low gain, or no microphone.`,
    fix: 'See the gain of the party or trunk; nothing to do if that party has only listened so far.',
  }
}

function clipped(stream: StreamWatch): Alarm | undefined {
  const share = stream.sound.clippedShare
  if (share < CLIPPED_SHARE) return undefined
  return {
    code: 'clipping',
    severity: 'warning',
    ...about(stream),
    cause: `${Math.round(share * 100)} % of the samples of the last two seconds are at the limit of the scale${stream.others.length > 0 ? `, all ${stream.others.length + 1} sources together` : ''}: too high a gain, or noise of an undecrypted stream.`,
    fix: 'Lower the gain of the party or trunk; if it is noise, see the encryption and the codec of the stream.',
  }
}

function foreign(stream: StreamWatch): Alarm | undefined {
  const host = stream.settings.rtp?.host
  if (host === undefined || !IPV4.test(host) || stream.source === host || stream.source === '') return undefined
  return {
    code: 'strangers-only',
    severity: 'warning',
    ...about(stream),
    cause: `Every packet comes from ${stream.source}, while the SDP of the client names ${host}: NAT, a media relay, or somebody else.`,
    fix: 'Let the client name the address that it sends from, or send from the one that it names.',
  }
}

function about({ channel, label }: StreamWatch): Pick<Alarm, 'channel' | 'label'> {
  return { channel, ...(label !== undefined && { label }) }
}

/** Where several sources send on one stream, what it is judged by is all of them together. */
function sourcesOf({ others }: StreamWatch): string {
  return others.length === 0
    ? ''
    : ` from ${others.length + 1} sources (beside the first one SSRC ${others.join(', ')})`
}

function nameOf({ channel, label }: StreamWatch): string {
  return label === undefined ? `channel ${channel}` : `label ${label}`
}
