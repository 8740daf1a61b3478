// The bench's own SIP: caller, callee and recorder on one core with sockets of this machine.

import { type Clock, seededIds, silentLogger } from '#kernel'
import { createLocator, SipTransport, systemClock } from '#net'
import { createSipCore, type ServerInvite, type SipBody, type SipCore } from '#sip'

const HOST = '127.0.0.1'

/** An open core. */
export interface SipSide {
  readonly core: SipCore
  /** URI of a user here, over UDP unless told. */
  uri(user: string, transport?: 'udp' | 'tcp'): string
  close(): Promise<void>
}

/** Opens UDP and TCP on loopback. */
export async function openSipSide(
  onInvite: (invite: ServerInvite) => void,
  clock: Clock = systemClock,
): Promise<SipSide> {
  const common = { clock, ids: seededIds(process.pid), log: silentLogger }
  let core: SipCore | undefined
  const transport = await SipTransport.open({
    ...common,
    listen: [
      { transport: 'udp', host: HOST, port: 0 },
      { transport: 'tcp', host: HOST, port: 0 },
    ],
    onMessage: (bytes, flow) => core?.receive(bytes, flow),
  })
  const locator = createLocator({ ...common, servers: [], supports: (name) => transport.supports(name) })
  const opened = createSipCore(
    {
      ...common,
      name: 'bench',
      transport,
      locator,
      product: 'siprec-gateway-bench',
      supported: ['siprec'],
      allow: ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'INFO', 'UPDATE'],
      accept: ['application/sdp', 'application/rs-metadata+xml', 'application/rs-metadata'],
      contactUser: 'bench',
    },
    { onInvite },
  )
  core = opened
  return {
    core: opened,
    uri: (user, name = 'udp') => {
      const port = transport.boundPorts.find((listener) => listener.transport === name)?.port
      return `sip:${user}@${HOST}:${port};transport=${name}`
    },
    close: async () => {
      opened.close()
      await transport.close()
    },
  }
}

/** A description with one G.711 stream for each port. */
export function audioBody(ports: readonly number[], direction: string): SipBody {
  const media = ports.map((port) => `m=audio ${port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=${direction}\r\n`)
  const text = `v=0\r\no=bench 1 1 IN IP4 ${HOST}\r\ns=-\r\nc=IN IP4 ${HOST}\r\nt=0 0\r\n${media.join('')}`
  return { contentType: 'application/sdp', content: Buffer.from(text) }
}

/** Ports of the audio streams that a body describes, alone or in a multipart. */
export function audioPorts(body: Uint8Array): number[] {
  return [
    ...Buffer.from(body)
      .toString('latin1')
      .matchAll(/^m=audio (\d+) /gm),
  ].map(([, port]) => Number(port))
}

/** The answer of a recorder: every stream to one port, `inactive` where that was offered. */
export function recorderAnswer(offer: Uint8Array, port: number): SipBody {
  const isInactive = Buffer.from(offer).includes('a=inactive')
  return audioBody(
    audioPorts(offer).map(() => port),
    isInactive ? 'inactive' : 'recvonly',
  )
}
