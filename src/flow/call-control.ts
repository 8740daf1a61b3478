// What a flow may ask of the call it runs on. The flow knows no SIP; app adapts this to the call layer.

/** How a dial ended. */
export interface DialOutcome {
  /** `answered` comes at the answer when `until` is `answer`, else after the callee left. */
  readonly result: 'answered' | 'busy' | 'no-answer' | 'rejected' | 'failed' | 'forbidden'
  readonly sipStatus?: number
}

/** How a join ended; `leg` names the new party, for `leave`. */
export interface JoinOutcome extends DialOutcome {
  readonly leg?: string
}

/** How collecting digits ended. */
export interface CollectOutcome {
  readonly digits: string
  readonly reason: 'terminator' | 'length' | 'timeout' | 'hangup'
}

/** Page parameters of the Call Recording node, evaluated. */
export interface RecordingCommand {
  readonly activity: 'start' | 'stop' | 'pause' | 'resume' | 'mask' | 'unmask'
  readonly server: string
  readonly recordingId: string
  /** Success policy of a start, written as in the configuration; absent: as configured. */
  readonly policy?: string
  /** Of a start: digits are left out of what recorders get; absent: by their profiles. */
  readonly maskDtmf?: boolean
  /** Of a pause, resume or stop: only this recorder, by its URI; absent: every one. */
  readonly recorder?: string
  /** Of a pause: it ends by itself after so long; absent: it lasts until it is resumed. */
  readonly limit?: { readonly maxSeconds: number; readonly next: 'resume' | 'stop' }
}

/** Outcome of a recording command. */
export interface RecordingResult {
  readonly status: number
  readonly text: string
  /** Per recorder URI: `accepted`, `pending` or `failed(code)`. */
  readonly results: Readonly<Record<string, string>>
}

/** The call under a flow's control. No promise rejects; after a hang-up all settle at once. */
export interface CallControl {
  answer(): Promise<boolean>
  /** Plays a WAV file, path as written in the flow. */
  play(file: string): Promise<'finished' | 'stopped' | 'hangup' | 'failed'>
  collect(options: {
    readonly maxDigits: number
    readonly timeoutMs: number
    readonly interDigitTimeoutMs: number
    readonly terminators: string
  }): Promise<CollectOutcome>
  dial(options: {
    readonly target: string
    readonly timeoutMs: number
    readonly until: 'answer' | 'end'
  }): Promise<DialOutcome>
  /** Calls a further party into the talk. */
  join(options: { readonly target: string; readonly timeoutMs: number }): Promise<JoinOutcome>
  /** Lets a party go; false when it is not there. */
  leave(leg: string): boolean
  record(command: RecordingCommand): Promise<RecordingResult>
  /** Resolves `hangup` as soon as the call is over. */
  wait(ms: number): Promise<'elapsed' | 'hangup'>
  hangup(reason?: string): Promise<void>
  readonly ended: boolean
}
