// A recorder that asks for a call by an INVITE of its own (RFC 7866 section 7.2), each of whose messages may be broken on its way.

import type { ManualClock } from '#kernel'
import type { SipBody, SipCore, SipTransportPort } from '#sip'
import { attachCore } from '../harness/core-pair.ts'
import { readRecordingMessage } from '../harness/recording-message.ts'
import type { SipNetwork } from '../harness/sip-network.ts'
import { answerSdp } from '../harness/test-recorder.ts'

/** The recorder; it takes all that is offered. */
export class AskingRecorder {
  readonly #core: SipCore
  readonly #ip: string

  constructor(
    network: SipNetwork,
    clock: ManualClock,
    ip: string,
    mangle: (bytes: Uint8Array) => readonly Uint8Array[],
  ) {
    const { transport } = network.attach(`asking-${ip}`, ip)
    const broken: SipTransportPort = {
      ...transport,
      sendTo: (target, bytes, onFailed) => {
        for (const sent of mangle(bytes)) transport.sendTo(target, sent, onFailed)
      },
      sendBack: (flow, bytes, onFailed, fallback) => {
        for (const sent of mangle(bytes)) transport.sendBack(flow, sent, onFailed, fallback)
      },
    }
    this.#ip = ip
    this.#core = attachCore(
      network,
      clock,
      ip,
      { onInvite: (invite) => invite.reject(403) },
      { transport: broken },
    ).core
  }

  /** Asks the gateway at `host` for a call. */
  ask(host: string, callId: string): void {
    let answerWith: (body: SipBody | undefined) => void = () => {}
    const ackBody = new Promise<SipBody | undefined>((resolve) => {
      answerWith = resolve
    })
    this.#core.invite(
      {
        uri: `sip:record-${callId}@${host}`,
        from: `<sip:srs@${this.#ip}>`,
        headers: [
          ['Require', 'siprec'],
          ['Contact', `<sip:srs@${this.#ip}>;+sip.srs`],
        ],
      },
      {
        ackBody: () => ackBody,
        onAccepted: (dialog, accepted) => {
          dialog.handlers = {
            onRequest: (incoming) => {
              const { sdp } = readRecordingMessage(incoming.request)
              incoming.respond(200, sdp === '' ? {} : { body: answerBody(sdp) })
            },
            onEnd: () => {},
          }
          answerWith(answerBody(readRecordingMessage(accepted).sdp))
        },
        onFailed: () => {},
      },
    )
  }
}

function answerBody(offer: string): SipBody {
  return { contentType: 'application/sdp', content: new TextEncoder().encode(answerSdp(offer)) }
}
