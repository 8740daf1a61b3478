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
  /** Of a start: what the recorders are told in headers of their INVITE. */
  readonly headers?: readonly (readonly [name: string, value: string])[]
}

/** Outcome of a recording command. */
export interface RecordingResult {
  readonly status: number
  readonly text: string
  /** Per recorder URI: `accepted`, `pending` or `failed(code)`. */
  readonly results: Readonly<Record<string, string>>
}

/** How a transfer of the caller went. */
export interface ReferOutcome {
  readonly result: 'transferred' | 'refused' | 'failed' | 'forbidden' | 'timeout' | 'hangup'
  readonly sipStatus?: number
}

/** A request to an HTTP server. */
export interface HttpRequest {
  readonly url: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  /** Sent as JSON; not with GET. */
  readonly body?: unknown
  readonly timeoutMs: number
}

/** What came of it. */
export interface HttpOutcome {
  /** `forbidden`: the host is not one that flows may ask. */
  readonly result: 'answered' | 'forbidden' | 'timeout' | 'too-large' | 'hangup' | 'failed'
  readonly status?: number
  /** JSON where the server says that it is, else text. */
  readonly body?: unknown
}

/** The call under a flow's control. No promise rejects; after a hang-up all settle at once. */
export interface CallControl {
  answer(): Promise<boolean>
  /** Plays a WAV file, path as written in the flow. */
  play(file: string): Promise<'finished' | 'stopped' | 'hangup' | 'failed'>
  /** Speaks a text; language and voice are the speech service's words for them, empty as configured. */
  say(options: {
    readonly text: string
    readonly language: string
    readonly voice: string
  }): Promise<'finished' | 'stopped' | 'hangup' | 'failed'>
  collect(options: {
    readonly maxDigits: number
    readonly timeoutMs: number
    readonly interDigitTimeoutMs: number
    readonly terminators: string
  }): Promise<CollectOutcome>
  /** Forgets the keys that were pressed so far and that nothing has collected. */
  forgetKeys(): void
  dial(options: {
    readonly target: string
    readonly timeoutMs: number
    readonly until: 'answer' | 'end'
  }): Promise<DialOutcome>
  /** Calls a further party into the talk. */
  join(options: { readonly target: string; readonly timeoutMs: number }): Promise<JoinOutcome>
  /** Lets a party go; false when it is not there. */
  leave(leg: string): boolean
  /** Asks the caller's phone to call somebody else. */
  refer(options: { readonly target: string; readonly timeoutMs: number }): Promise<ReferOutcome>
  /** Asks an HTTP server. */
  request(options: HttpRequest): Promise<HttpOutcome>
  record(command: RecordingCommand): Promise<RecordingResult>
  /** Resolves `hangup` as soon as the call is over. */
  wait(ms: number): Promise<'elapsed' | 'hangup'>
  hangup(reason?: string): Promise<void>
  readonly ended: boolean
}
