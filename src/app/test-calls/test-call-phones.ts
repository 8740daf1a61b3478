// The caller and the callee of a test call: real SIP and RTP on an address of this machine.

import { PortPool } from '#engine'
import { type Clock, type Endpoint, type Ids, silentLogger } from '#kernel'
import { createLocator, SipTransport } from '#net'
import { CheckStream } from '#recorder-check'
import { LocalDescription, type LocalMedia, parseSdp, remoteOf } from '#sdp'
import {
  createSipCore,
  type DialogHandlers,
  type InviteDialog,
  type SipBody,
  type SipCore,
  type SipMessage,
} from '#sip'
import { CheckSocketPool } from '../check.ts'
import { product } from '../sip-role.ts'
import { testVoice } from './test-call-voice.ts'

/** What phones need. */
export interface TestPhonesOptions {
  /** Address that they are at. */
  readonly host: string
  readonly transport: 'udp' | 'tcp'
  readonly mediaPorts: { readonly portMin: number; readonly portMax: number }
  readonly clock: Clock
  readonly ids: Ids
}

/** What becomes of the call. */
export interface TestPhonesEvents {
  onTalking(): void
  /** Once; with a reason when the call did not come about. */
  onEnd(failure?: string): void
}

const FAREWELL_MS = 3_000
const CALLER_HZ = 165
const CALLEE_HZ = 240
const calleeUser = 'test-callee'
const codecs = [
  { payloadType: 0, encoding: 'PCMU/8000' },
  { payloadType: 8, encoding: 'PCMA/8000' },
]

/** One side: its stream, and what it says of it. */
class Side {
  readonly stream: CheckStream
  readonly #description: LocalDescription

  constructor(stream: CheckStream, host: string, ids: Ids) {
    this.stream = stream
    this.#description = new LocalDescription({ sessionId: `${ids.integer(2 ** 47)}`, address: host })
  }

  get body(): SipBody {
    const line: LocalMedia = {
      kind: 'audio',
      port: this.stream.port,
      protocol: 'RTP/AVP',
      codecs,
      direction: 'sendrecv',
    }
    return { contentType: 'application/sdp', content: this.#description.describe([line]) }
  }

  /** Speaks to where a description of the other side says; nowhere when it wants nothing. */
  speak({ body }: SipMessage): void {
    const sdp = parseSdp(body)
    const media = sdp.ok ? sdp.value.media[0] : undefined
    if (!sdp.ok || media === undefined) return
    this.stream.aim(remoteOf(media, sdp.value)?.rtp, media.formats.includes('0') ? 0 : 8)
  }

  /** In the dialog: new offers are taken. */
  handlers(onEnd: () => void): DialogHandlers {
    return {
      onRequest: (incoming) => {
        const isOffer = incoming.request.body.length > 0
        if (isOffer) this.speak(incoming.request)
        incoming.respond(200, isOffer || incoming.request.method === 'INVITE' ? { body: this.body } : {})
      },
      onEnd,
    }
  }
}

/** Both phones. */
export class TestPhones {
  /** Where the callee is called. */
  readonly calleeUri: string
  readonly address: Endpoint
  readonly #transport: SipTransport
  readonly #core: SipCore
  readonly #sockets: CheckSocketPool
  readonly #caller: Side
  readonly #callee: Side
  #events: TestPhonesEvents | undefined
  #dialog: InviteDialog | undefined
  #isCalleeThere = false
  #whenLeft: () => void = () => {}
  readonly #clock: Clock

  private constructor(
    { host, transport: name, clock, ids }: TestPhonesOptions,
    transport: SipTransport,
    sockets: CheckSocketPool,
    streams: readonly [CheckStream, CheckStream],
    give: (core: SipCore) => void,
  ) {
    this.#transport = transport
    this.#clock = clock
    this.#sockets = sockets
    this.#caller = new Side(streams[0], host, ids)
    this.#callee = new Side(streams[1], host, ids)
    this.address = { host, port: transport.boundPorts[0]?.port ?? 0 }
    const at = `${host.includes(':') ? `[${host}]` : host}:${this.address.port}`
    this.calleeUri = `sip:${calleeUser}@${at};transport=${name}`
    this.#core = createSipCore(
      {
        name: 'test-call',
        clock,
        ids,
        log: silentLogger,
        transport,
        locator: createLocator({ supports: (one) => transport.supports(one), clock, ids, log: silentLogger }),
        product,
        supported: ['timer'],
        allow: ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'INFO', 'UPDATE'],
        accept: ['application/sdp'],
        contactUser: 'test-caller',
      },
      {
        onInvite: (invite) => {
          this.#callee.speak(invite.request)
          invite.accept(
            this.#callee.handlers(() => this.#onCalleeLeft()),
            { body: this.#callee.body },
          )
          this.#isCalleeThere = true
          this.#events?.onTalking()
        },
      },
    )
    give(this.#core)
  }

  /** Binds everything; rejects with an AppError when that fails. */
  static async open(options: TestPhonesOptions): Promise<TestPhones> {
    const { host, transport: name, mediaPorts, clock, ids } = options
    let core: SipCore | undefined
    const transport = await SipTransport.open({
      listen: [{ transport: name, host, port: 0 }],
      clock,
      log: silentLogger,
      onMessage: (bytes, flow) => core?.receive(bytes, flow),
    })
    const pool = new PortPool({ host, ...mediaPorts, clock, randomInteger: (below) => ids.integer(below) })
    const sockets = new CheckSocketPool(pool)
    try {
      const streamOf = (voice: Int16Array) => CheckStream.open(sockets, clock, ids.integer(2 ** 31), voice)
      const streams = [
        await streamOf(testVoice(CALLER_HZ, 'first')),
        await streamOf(testVoice(CALLEE_HZ, 'second')),
      ] as const
      return new TestPhones(options, transport, sockets, streams, (made) => {
        core = made
      })
    } catch (fault) {
      await transport.close()
      await sockets.close()
      throw fault
    }
  }

  /** The caller calls. */
  call(uri: string, events: TestPhonesEvents): void {
    this.#events = events
    const { host, port } = this.address
    this.#core.invite(
      {
        uri,
        from: `"Test caller" <sip:test-caller@${host.includes(':') ? `[${host}]` : host}:${port}>`,
        body: this.#caller.body,
      },
      {
        onAccepted: (dialog, response) => {
          this.#dialog = dialog
          dialog.handlers = this.#caller.handlers(() => events.onEnd())
          this.#caller.speak(response)
        },
        onFailed: ({ status, reason }) => events.onEnd(`the gateway answered ${status} ${reason}`),
      },
    )
  }

  /** The caller hangs up, and everything closes. */
  async close(): Promise<void> {
    for (const { stream } of [this.#caller, this.#callee]) stream.aim(undefined, 0)
    await this.#dialog?.bye()
    await this.#calleeLeft()
    this.#core.close()
    await this.#transport.close()
    await this.#sockets.close()
  }

  #onCalleeLeft(): void {
    this.#isCalleeThere = false
    this.#callee.stream.aim(undefined, 0)
    this.#whenLeft()
  }

  /** The gateway says goodbye to the callee too; it is answered, or was not said in time. */
  async #calleeLeft(): Promise<void> {
    if (!this.#isCalleeThere) return
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(FAREWELL_MS, 'test call farewell', resolve)
      this.#whenLeft = () => {
        timer.cancel()
        resolve()
      }
    })
  }
}
