// The sound of one recording: a media element that reads ranges, and a gain and a meter for each lane.

import { signal } from '@preact/signals'

/** Slowest and fastest speed, and those between them. */
export const speeds: readonly number[] = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2]

const MESSAGES: Readonly<Record<number, string>> = {
  2: 'The connection broke while the audio was being read.',
  3: 'The browser could not decode the audio.',
  4: 'The audio could not be read.',
}

interface Lane {
  readonly gain: GainNode
  readonly meter: AnalyserNode
}

/** Plays; there is one for the whole page, for browsers allow few of them. */
export class Sound {
  readonly element = new Audio()
  readonly atS = signal(0)
  readonly durationS = signal(0)
  readonly isPlaying = signal(false)
  readonly speed = signal(1)
  readonly muted = signal<ReadonlySet<number>>(new Set())
  readonly solo = signal<number>()
  readonly failure = signal<string>()
  /** Part that is played over and over, in seconds. */
  readonly loop = signal<readonly [number, number]>()
  #context: AudioContext | undefined
  #source: MediaElementAudioSourceNode | undefined
  #splitter: ChannelSplitterNode | undefined
  #lanes: Lane[] = []
  #samples = new Uint8Array(256)

  constructor() {
    const { element } = this
    element.preload = 'metadata'
    const follow = (): void => {
      this.isPlaying.value = !element.paused && !element.ended
      this.atS.value = element.currentTime
      if (Number.isFinite(element.duration)) this.durationS.value = element.duration
    }
    for (const name of ['play', 'pause', 'ended', 'seeked', 'timeupdate', 'loadedmetadata', 'durationchange']) {
      element.addEventListener(name, follow)
    }
    element.addEventListener('error', () => {
      this.failure.value = MESSAGES[element.error?.code ?? 4] ?? 'The audio could not be read.'
      follow()
    })
    const tick = (): void => {
      this.atS.value = element.currentTime
      const loop = this.loop.value
      if (loop !== undefined && element.currentTime >= loop[1]) element.currentTime = loop[0]
      if (this.isPlaying.value) requestAnimationFrame(tick)
    }
    element.addEventListener('play', () => requestAnimationFrame(tick))
  }

  /** Takes up a recording of so many lanes. */
  open(url: string, lanes: number, atS: number, durationS: number): void {
    this.failure.value = undefined
    this.loop.value = undefined
    this.muted.value = new Set()
    this.solo.value = undefined
    this.durationS.value = durationS
    this.element.src = url
    this.element.currentTime = atS
    this.atS.value = atS
    this.element.playbackRate = this.speed.value
    this.#connect(lanes)
  }

  /** Falls silent and forgets the recording. */
  close(): void {
    this.element.pause()
    this.element.removeAttribute('src')
    this.element.load()
  }

  /** Plays or pauses. */
  toggle(): void {
    if (this.element.paused) void this.start()
    else this.element.pause()
  }

  /** Plays; what a browser refuses without a click stays paused. */
  async start(): Promise<void> {
    await this.#context?.resume()
    await this.element.play().catch((cause: unknown) => {
      if (cause instanceof DOMException && cause.name === 'AbortError') return
      if (cause instanceof DOMException && cause.name === 'NotAllowedError') return
      this.failure.value ??= 'The audio could not be read.'
    })
  }

  /** Goes to a place in seconds; what lies outside is taken for the end that is nearer. */
  seek(atS: number): void {
    const end = this.durationS.value
    this.element.currentTime = Math.min(Math.max(0, atS), end > 0 ? end : atS)
    this.atS.value = this.element.currentTime
  }

  /** Plays at another speed; voices keep their pitch. */
  setSpeed(speed: number): void {
    this.speed.value = speed
    this.element.preservesPitch = true
    this.element.playbackRate = speed
  }

  /** Silences a lane, or lets it be heard again. */
  toggleMute(lane: number): void {
    const muted = new Set(this.muted.value)
    if (!muted.delete(lane)) muted.add(lane)
    this.muted.value = muted
    this.#apply()
  }

  /** Lets a lane be heard alone, or all of them again. */
  toggleSolo(lane: number): void {
    this.solo.value = this.solo.value === lane ? undefined : lane
    this.#apply()
  }

  /** Whether a lane is heard. */
  isHeard(lane: number): boolean {
    return this.solo.value === undefined ? !this.muted.value.has(lane) : this.solo.value === lane
  }

  /** How many lanes there are. */
  get lanes(): number {
    return this.#lanes.length
  }

  /** How loud a lane is now, after mute and solo: 0 to 1. */
  level(lane: number): number {
    const meter = this.#lanes[lane]?.meter
    if (meter === undefined) return 0
    meter.getByteTimeDomainData(this.#samples)
    let peak = 0
    for (const sample of this.#samples) peak = Math.max(peak, Math.abs(sample - 128))
    return peak / 128
  }

  #connect(count: number): void {
    this.#context ??= new AudioContext()
    const context = this.#context
    this.#source ??= context.createMediaElementSource(this.element)
    this.#source.disconnect()
    this.#splitter?.disconnect()
    for (const { gain, meter } of this.#lanes) {
      gain.disconnect()
      meter.disconnect()
    }
    const splitter = context.createChannelSplitter(Math.max(1, count))
    this.#splitter = splitter
    this.#source.connect(splitter)
    this.#lanes = Array.from({ length: count }, (_, channel) => {
      const [gain, meter] = [context.createGain(), context.createAnalyser()]
      meter.fftSize = this.#samples.length
      splitter.connect(gain, channel)
      // Each lane is heard on both sides: whoever wants one lane alone has solo.
      gain.connect(meter).connect(context.destination)
      return { gain, meter }
    })
    this.#apply()
  }

  #apply(): void {
    for (const [lane, { gain }] of this.#lanes.entries()) gain.gain.value = this.isHeard(lane) ? 1 : 0
  }
}

/** The one of this page. */
export const sound = new Sound()
