import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock, type StateTrace, seededIds, stateTrace } from '#kernel'
import type { ClientInviteHandlers, DialogEnd, DialogHandlers, InviteDialog, RequestOutcome, ServerInvite } from '#sip'
import { attachCore, type CoreNode, sdp } from '../../test/harness/core-pair.ts'
import { type NetworkFaults, SipNetwork } from '../../test/harness/sip-network.ts'

interface Pair {
  readonly clock: ManualClock
  readonly network: SipNetwork
  readonly caller: CoreNode
  readonly callee: CoreNode
  readonly invites: ServerInvite[]
}

function pair(seed = 1, faults: NetworkFaults = {}): Pair {
  const clock = new ManualClock()
  const network = new SipNetwork(clock, seed, faults)
  const invites: ServerInvite[] = []
  const caller = attachCore(network, clock, '10.0.0.1', { onInvite: () => {} })
  const callee = attachCore(network, clock, '10.0.0.2', { onInvite: (invite) => void invites.push(invite) })
  return { clock, network, caller, callee, invites }
}

interface Call {
  readonly near: InviteDialog
  readonly far: InviteDialog
  readonly ends: string[]
}

const OPTIONS = { uri: 'sip:bob@10.0.0.2', from: '"Alice" <sip:alice@10.0.0.1>', body: sdp('offer') }

async function establish({ clock, caller, invites }: Pair): Promise<Call> {
  const ends: string[] = []
  let near: InviteDialog | undefined
  const ended =
    (side: string) =>
    (end: DialogEnd): void =>
      void ends.push(`${side}: ${end.cause}`)
  caller.core.invite(OPTIONS, {
    onAccepted: (dialog) => {
      near = dialog
      dialog.handlers = { onEnd: ended('near') }
    },
    onFailed: (outcome) => assert.fail(`call failed: ${outcome.status}`),
  })
  await clock.advanceAsync(100)
  const invite = invites[0]
  assert.ok(invite)
  invite.progress(180)
  const far = invite.accept({ onEnd: ended('far') }, { body: sdp('answer') })
  await clock.advanceAsync(3000)
  assert.ok(near)
  return { near, far, ends }
}

function silent(core: CoreNode['core']): void {
  assert.deepEqual(core.census(), { dialogs: 0, transactions: 0, timers: 0 })
}

test('a call is set up and ended by the caller, and nothing stays behind', async () => {
  const both = pair()
  const { near, far, ends } = await establish(both)
  assert.equal(near.callId, far.callId)
  assert.equal(near.localTag, far.remoteTag)
  assert.equal(near.remoteTag, far.localTag)
  const outcome = near.bye()
  assert.equal(near.ended, true)
  await both.clock.advanceAsync(40_000)
  assert.equal((await outcome).status, 200)
  assert.deepEqual(ends, ['near: local-bye', 'far: remote-bye'])
  silent(both.caller.core)
  silent(both.callee.core)
})

test('calls survive loss, duplication and reordering of datagrams, and nothing stays behind', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const both = pair(seed, { lossRate: 0.2, duplicateRate: 0.2, reorderRate: 0.3 })
    const results: string[] = []
    const handlers: ClientInviteHandlers = {
      onAccepted: (dialog) => {
        dialog.handlers = { onEnd: (end) => void results.push(`near ${end.cause}`) }
        results.push('accepted')
      },
      onFailed: (outcome: RequestOutcome) => void results.push(`failed ${outcome.status}`),
    }
    both.caller.core.invite(OPTIONS, handlers)
    await both.clock.advanceAsync(16_000)
    assert.equal(both.invites.length, 1, `seed ${seed}`)
    const far = both.invites[0]!.accept({ onEnd: (end) => void results.push(`far ${end.cause}`) })
    await both.clock.advanceAsync(33_000)
    void far.bye()
    await both.clock.advanceAsync(100_000)
    assert.deepEqual(results, ['accepted', 'far local-bye', 'near remote-bye'], `seed ${seed}`)
    silent(both.caller.core)
    silent(both.callee.core)
  }
})

test('SIP-10, SRC-67: with both sides changing the session at random over a bad network every request has its outcome', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const both = pair(seed, { lossRate: 0.15, duplicateRate: 0.1, reorderRate: 0.2 })
    const random = seededIds(seed)
    const ends: string[] = []
    const handlers = (side: string): DialogHandlers => ({
      onRequest: (incoming) => void incoming.respond(random.integer(4) === 0 ? 488 : 200, { body: sdp('a') }),
      onEnd: (end) => void ends.push(`${side} ${end.cause}`),
    })
    const dialogs: InviteDialog[] = []
    both.caller.core.invite(OPTIONS, {
      onAccepted: (dialog) => {
        dialog.handlers = handlers('near')
        dialogs.push(dialog)
      },
      onFailed: () => {},
    })
    await both.clock.advanceAsync(16_000)
    dialogs.push(both.invites[0]!.accept(handlers('far')))
    await both.clock.advanceAsync(5000)
    let asked = 0
    let settled = 0
    for (let step = 0; step < 25; step++) {
      const dialog = dialogs[random.integer(2)]!
      const kind = random.integer(3)
      const body = sdp('o')
      const outcome =
        kind === 0
          ? dialog.reinvite({ body })
          : dialog.request(kind === 1 ? 'UPDATE' : 'INFO', kind === 1 ? { body } : {})
      asked += 1
      void outcome.then(() => {
        settled += 1
      })
      await both.clock.advanceAsync(random.integer(3000))
    }
    void dialogs[random.integer(2)]!.bye()
    await both.clock.advanceAsync(200_000)
    assert.equal(settled, asked, `seed ${seed}`)
    assert.deepEqual(ends.map((end) => end.split(' ')[0]).sort(), ['far', 'near'], `seed ${seed}: ${ends}`)
    silent(both.caller.core)
    silent(both.callee.core)
    assert.deepEqual(
      [...both.caller.log.messages(), ...both.callee.log.messages()].filter((m) => m.startsWith('fault')),
      [],
    )
  }
})

test('state changes of transactions and dialogs are published on the trace', async () => {
  const seen: string[] = []
  const listener = (message: unknown): void => {
    const { machine, from, to } = message as StateTrace
    seen.push(`${machine}: ${from} -> ${to}`)
  }
  stateTrace.subscribe(listener)
  const both = pair()
  const { near } = await establish(both)
  void near.bye()
  await both.clock.advanceAsync(10)
  stateTrace.unsubscribe(listener)
  for (const change of [
    'invite-client: initial -> calling',
    'invite-client: proceeding -> accepted',
    'invite-server: proceeding -> accepted',
    'dialog: early -> confirmed',
    'dialog: confirmed -> ended',
    'non-invite-server: trying -> completed',
  ]) {
    assert.ok(seen.includes(change), change)
  }
})
