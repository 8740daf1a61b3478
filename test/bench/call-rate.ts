// What a call costs the gateway in signalling: set up, answered and hung up without any sound, plain and with a recording.

import type { ServerInvite } from '#sip'
import { cpuMicros } from './child.ts'
import { type GatewayProcess, plainUser, recordedUser, startGateway } from './gateway-process.ts'
import { figure, median, type Section } from './report.ts'
import { audioBody, openSipSide, recorderAnswer, type SipSide } from './sip-side.ts'

/** How many calls to make. */
export interface CallRatePlan {
  /** Calls before anything is measured: the code is compiled after some thousands. */
  readonly warmUpCalls: number
  readonly rounds: number
  readonly callsPerRound: number
  /** Calls under way at a time. */
  readonly atATime: number
}

/** A port nobody listens on: nothing is sent to it. */
const SILENT_PORT = 9

interface Round {
  readonly cpuMicrosPerCall: number
  readonly callsPerSecond: number
}

/** CPU time of the gateway's process per call, and how many calls went through per second. */
export async function benchCallRate(plan: CallRatePlan): Promise<Section> {
  const side = await openSipSide(accept)
  try {
    const gateway = await startGateway({ callee: side.uri('callee'), recorder: side.uri('recorder', 'tcp') })
    try {
      const plain = await rounds(gateway, side, plainUser, plan)
      const recorded = await rounds(gateway, side, recordedUser, plan)
      return section(plan, [
        ['connected', plain],
        ['connected and recorded by one recorder', recorded],
      ])
    } finally {
      await gateway.close()
    }
  } finally {
    await side.close()
  }
}

function accept(invite: ServerInvite): void {
  const { headers, body } = invite.request
  const isRecorder = headers.get('Content-Type')?.startsWith('multipart/') === true
  const answer = isRecorder ? recorderAnswer(body, SILENT_PORT) : audioBody([SILENT_PORT], 'sendrecv')
  invite.accept({ onRequest: (incoming) => void incoming.respond(200), onEnd: () => {} }, { body: answer })
}

async function rounds(
  gateway: GatewayProcess,
  side: SipSide,
  user: string,
  plan: CallRatePlan,
): Promise<readonly Round[]> {
  const uri = `sip:${user}@127.0.0.1:${gateway.sipPort}`
  const makeCalls = async (count: number): Promise<void> => {
    let left = count
    const oneAfterTheOther = async (): Promise<void> => {
      while (left-- > 0) await callOnce(side, uri)
    }
    await Promise.all(Array.from({ length: plan.atATime }, oneAfterTheOther))
  }
  await makeCalls(plan.warmUpCalls)
  const results: Round[] = []
  for (let round = 0; round < plan.rounds; round++) {
    const cpuBefore = await cpuMicros(gateway.pid)
    const beganAtMs = performance.now()
    await makeCalls(plan.callsPerRound)
    const lastedMs = performance.now() - beganAtMs
    const cpu = (await cpuMicros(gateway.pid)) - cpuBefore
    results.push({
      cpuMicrosPerCall: cpu / plan.callsPerRound,
      callsPerSecond: (plan.callsPerRound * 1000) / lastedMs,
    })
  }
  return results
}

/** Calls, and hangs up as soon as the call is answered; rejects when it is not. */
async function callOnce(side: SipSide, uri: string): Promise<void> {
  const body = audioBody([SILENT_PORT], 'sendrecv')
  await new Promise<void>((resolve, reject) => {
    side.core.invite(
      { uri, from: '<sip:caller@127.0.0.1>', body },
      {
        onAccepted: (dialog) => {
          dialog.handlers = { onEnd: () => {} }
          void dialog.bye().then(() => resolve())
        },
        onFailed: ({ status, reason }) => reject(new Error(`a call failed: ${status} ${reason}`)),
      },
    )
  })
}

function section(plan: CallRatePlan, results: readonly (readonly [string, readonly Round[]])[]): Section {
  return {
    title: 'Signalling: what a call costs',
    columns: ['call', 'CPU µs per call', 'calls per CPU second', 'calls per second in the run'],
    rows: results.map(([name, all]) => {
      const cost = median(all.map(({ cpuMicrosPerCall }) => cpuMicrosPerCall))
      return [name, figure(cost), figure(1_000_000 / cost), figure(median(all.map((one) => one.callsPerSecond)))]
    }),
    notes: [
      'A call is INVITE, answer, BYE on both sides of the gateway over UDP, with media ports bound for both legs; no RTP flows.',
      'CPU is user and system time of the whole gateway process: SIP, flow, recording client and media threads.',
      `Medians of ${plan.rounds} rounds of ${plan.callsPerRound} calls, ${plan.atATime} at a time, after ${plan.warmUpCalls} calls to warm up.`,
    ],
  }
}
