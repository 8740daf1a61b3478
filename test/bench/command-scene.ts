// A call through the gateway in its own process; the bench is both parties, who speak, and the recorder.

import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { DialogHandlers, InviteDialog, ServerInvite } from '#sip'
import { type GatewayProcess, plainUser, startGateway } from './gateway-process.ts'
import { openRtpSocket, RtpSpeaker } from './rtp-speaker.ts'
import { audioBody, audioPorts, openSipSide, recorderAnswer, type SipSide } from './sip-side.ts'

const SETTLE_MS = 30
const DEADLINE_MS = 5000
const SENT_AT_OFFSET = 12
const REFUSING_USER = 'refuses'
/** Packets after which a stream counts as flowing. */
const FLOWING_PACKETS = 10

/** The bench's end of the call: sockets, and what came to the recorder. */
class Parties {
  readonly caller: Socket
  readonly callee: Socket
  readonly recorder: Socket
  frameMs = 0
  /** Where the recorder takes its packets; elsewhere they are not seen here. */
  recorderPort: number
  packets = 0
  lastPacketAtMs = 0
  invitedAtMs = 0
  /** Longest time between two packets at the recorder since it was last set to 0. */
  longestGapMs = 0
  /** How long packets took from party to party, in ms. */
  readonly delays: number[] = []
  /** The recording session of this moment, and how many there were. */
  recording: InviteDialog | undefined
  sessions = 0
  #speakers: RtpSpeaker[] = []

  private constructor(caller: Socket, callee: Socket, recorder: Socket) {
    this.caller = caller
    this.callee = callee
    this.recorder = recorder
    this.recorderPort = recorder.address().port
    for (const party of [caller, callee]) {
      party.on('message', (packet) => {
        if (packet.length > SENT_AT_OFFSET + 8)
          this.delays.push(performance.now() - packet.readDoubleBE(SENT_AT_OFFSET))
      })
    }
    recorder.on('message', () => {
      this.packets++
      const nowMs = performance.now()
      this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.lastPacketAtMs)
      this.lastPacketAtMs = nowMs
    })
  }

  static async open(): Promise<Parties> {
    return new Parties(await openRtpSocket(), await openRtpSocket(), await openRtpSocket())
  }

  /** Takes the invitation to be called or to record; recording sessions come as multipart bodies. */
  onInvite(invite: ServerInvite): void {
    const { headers, body } = invite.request
    if (headers.get('Content-Type')?.startsWith('multipart/') !== true) {
      this.speak(this.callee, body)
      invite.accept({ onEnd: () => {} }, { body: audioBody([this.callee.address().port], 'sendrecv') })
      return
    }
    if (invite.request.uri.startsWith(`sip:${REFUSING_USER}@`)) {
      invite.reject(486)
      return
    }
    this.invitedAtMs = performance.now()
    const answer = (offer: Uint8Array) => recorderAnswer(offer, this.recorderPort)
    const handlers: DialogHandlers = {
      onRequest: (incoming) => {
        const { method, body: offer } = incoming.request
        incoming.respond(200, method === 'INVITE' ? { body: answer(offer) } : {})
      },
      onEnd: () => {},
    }
    this.recording = invite.accept(handlers, { body: answer(body) })
    this.sessions++
  }

  speak(socket: Socket, description: Uint8Array): void {
    const [port] = audioPorts(description)
    if (port !== undefined) this.#speakers.push(new RtpSpeaker(socket, port, this.frameMs))
  }

  fallSilent(): void {
    for (const speaker of this.#speakers) speaker.stop()
    this.#speakers = []
  }

  close(): void {
    this.fallSilent()
    for (const socket of [this.caller, this.callee, this.recorder]) socket.close()
  }
}

/** Gives commands and says how long they took to show, in ms. */
export class CommandScene {
  readonly #gateway: GatewayProcess
  readonly #side: SipSide
  readonly #parties: Parties
  #dialog: InviteDialog | undefined
  #callId = ''

  private constructor(gateway: GatewayProcess, side: SipSide, parties: Parties) {
    this.#gateway = gateway
    this.#side = side
    this.#parties = parties
  }

  static async open(): Promise<CommandScene> {
    const parties = await Parties.open()
    const side = await openSipSide((invite) => parties.onInvite(invite))
    try {
      const gateway = await startGateway({ callee: side.uri('callee'), recorder: side.uri('recorder', 'tcp') })
      return new CommandScene(gateway, side, parties)
    } catch (fault) {
      await side.close()
      parties.close()
      throw fault
    }
  }

  /** Sets up the call; both parties speak in packets of `frameMs`. */
  async call(frameMs: number): Promise<void> {
    const parties = this.#parties
    parties.frameMs = frameMs
    const body = audioBody([parties.caller.address().port], 'sendrecv')
    const uri = `sip:${plainUser}@127.0.0.1:${this.#gateway.sipPort}`
    this.#dialog = await new Promise((resolve, reject) => {
      this.#side.core.invite(
        { uri, from: '<sip:caller@127.0.0.1>', body },
        {
          onAccepted: (dialog, response) => {
            dialog.handlers = { onEnd: () => {} }
            parties.speak(parties.caller, response.body)
            resolve(dialog)
          },
          onFailed: ({ status, reason }) => reject(new Error(`the call failed: ${status} ${reason}`)),
        },
      )
    })
    const response = await fetch(`${this.#gateway.api}/api/calls`)
    const { items } = (await response.json()) as { items: { callId: string }[] }
    this.#callId = items.at(-1)?.callId ?? ''
  }

  async hangUp(): Promise<void> {
    this.#parties.fallSilent()
    await this.#dialog?.bye()
  }

  /** Starts a recording and stops it again. */
  async startAndStop(): Promise<{ readonly inviteMs: number; readonly packetMs: number }> {
    await pause(SETTLE_MS)
    const beganAtMs = performance.now()
    const packetMs = await this.#untilPacket('start')
    await this.#command('stop')
    return { inviteMs: this.#parties.invitedAtMs - beganAtMs, packetMs }
  }

  get gatewayPid(): number {
    return this.#gateway.pid
  }

  /** URI of a recorder that refuses. */
  get refusing(): string {
    return this.#side.uri(REFUSING_USER, 'tcp')
  }

  /** Time from a start to the first packet at the second recorder, when the first one fails. */
  async failOver(first: string): Promise<number> {
    await pause(SETTLE_MS)
    const packetMs = await this.#untilPacket('start', `${first}|${this.#side.uri('recorder', 'tcp')}`)
    await this.#command('stop')
    return packetMs
  }

  /** The longest time without a packet when the recorder hangs up and another one takes its place. */
  async reHome(): Promise<number> {
    const parties = this.#parties
    const recorders = ['recorder', 'standby'].map((user) => this.#side.uri(user, 'tcp'))
    await this.#untilPacket('start', recorders.join('|'))
    await this.#flowing()
    parties.longestGapMs = 0
    const sessions = parties.sessions
    await parties.recording?.bye()
    while (parties.sessions === sessions) await pause(1)
    await this.#flowing()
    const gapMs = parties.longestGapMs
    await this.#command('stop')
    return gapMs
  }

  /** Starts the recording that is then paused and resumed. */
  async start(): Promise<void> {
    await this.#untilPacket('start')
  }

  /** Starts one whose packets go to another process. */
  async startTo(recorderPort: number): Promise<void> {
    this.#parties.recorderPort = recorderPort
    await this.#command('start')
  }

  async stop(): Promise<void> {
    await this.#command('stop')
  }

  /** Delays of the packets that came to a party since the last time, in ms. */
  takeDelays(): number[] {
    return this.#parties.delays.splice(0)
  }

  async pauseToLastPacket(): Promise<{ readonly lastMs: number; readonly packetsAfter: number }> {
    await pause(SETTLE_MS)
    const parties = this.#parties
    const beganAtMs = performance.now()
    await this.#command('pause')
    const packetsBefore = parties.packets
    await pause(SETTLE_MS)
    const lastMs = Math.max(0, parties.lastPacketAtMs - beganAtMs)
    return { lastMs, packetsAfter: parties.packets - packetsBefore }
  }

  async resumeToPacket(): Promise<number> {
    return await this.#untilPacket('resume')
  }

  async close(): Promise<void> {
    this.#parties.fallSilent()
    await this.#gateway.close()
    await this.#side.close()
    this.#parties.close()
  }

  async #flowing(): Promise<void> {
    const wanted = this.#parties.packets + FLOWING_PACKETS
    while (this.#parties.packets < wanted) await pause(1)
  }

  async #untilPacket(activity: 'start' | 'resume', servers?: string): Promise<number> {
    const beganAtMs = performance.now()
    const arrival = once(this.#parties.recorder, 'message', { signal: AbortSignal.timeout(DEADLINE_MS) })
    const [arrivedAtMs] = await Promise.all([arrival.then(() => performance.now()), this.#command(activity, servers)])
    return arrivedAtMs - beganAtMs
  }

  /** Gives a command over HTTP and waits for its outcome. */
  async #command(activity: 'start' | 'stop' | 'pause' | 'resume', servers?: string): Promise<void> {
    const callRecordingServer = activity === 'start' ? (servers ?? this.#side.uri('recorder', 'tcp')) : ''
    const response = await fetch(`${this.#gateway.api}/api/calls/${this.#callId}/recording`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ activity, callRecordingServer }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${activity} was answered ${response.status}: ${text}`)
  }
}
