// The alarms that stand at our recorder now, by recording session, for those who know the session from the other side.

import type { Listeners } from '#kernel'
import type { RecordingServerEvent } from '#recording-server'
import type { Alarm } from '#store'

interface Standing {
  readonly sipCallId: string
  readonly alarms: Map<string, Alarm>
}

/** Follows the events of a recording server. */
export class AlarmBoard {
  readonly #byRecording = new Map<string, Standing>()
  readonly #bySession = new Map<string, Standing>()

  constructor(events: Listeners<RecordingServerEvent>) {
    events.add((event) => this.#take(event))
  }

  /** The alarms that stand about the session with this SIP Call-ID; undefined when there is no such session. */
  alarmsOf(sipCallId: string): readonly Alarm[] | undefined {
    const standing = this.#bySession.get(sipCallId)
    return standing && [...standing.alarms.values()]
  }

  /** SIP Call-ID of the session that an event is of; undefined when it is not known. */
  sessionOf(event: RecordingServerEvent): string | undefined {
    if ('facts' in event) return event.facts.sip.callId
    if (event.type === 'ended') return event.manifest.facts.sip.callId
    return this.#byRecording.get(event.recordingId)?.sipCallId
  }

  #take(event: RecordingServerEvent): void {
    const { recordingId } = event
    const known = this.#byRecording.get(recordingId)
    switch (event.type) {
      case 'started':
      case 'restarted': {
        const { callId: sipCallId } = event.facts.sip
        const standing = { sipCallId, alarms: new Map<string, Alarm>() }
        this.#byRecording.set(recordingId, standing)
        this.#bySession.set(sipCallId, standing)
        break
      }
      case 'alarm':
        known?.alarms.set(keyOf(event.alarm), event.alarm)
        break
      case 'alarm-cleared':
        known?.alarms.delete(keyOf(event.alarm))
        break
      case 'ended':
        this.#byRecording.delete(recordingId)
        if (known !== undefined && this.#bySession.get(known.sipCallId) === known) {
          this.#bySession.delete(known.sipCallId)
        }
        break
      default:
    }
  }
}

function keyOf({ code, channel }: Alarm): string {
  return `${code} ${channel ?? ''}`
}
