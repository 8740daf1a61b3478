import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '#kernel'
import type { ClientInviteHandlers, DialogEnd, InviteDialog, RequestOutcome, ServerInvite } from '#sip'
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
