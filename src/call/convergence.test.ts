import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Direction, receives, sends } from '#sdp'
import { CallBench } from '../../test/harness/call-bench.ts'
import { type PhoneCall, phoneSdp } from '../../test/harness/test-phone.ts'
import { directionFrom } from './direction.ts'

type Voice = 'PCMU' | 'PCMA' | 'G722'

interface Step {
  readonly who: 'alice' | 'bob'
  readonly wish: Direction
  readonly codecs: readonly Voice[]
  readonly isUpdate: boolean
  /** The next step comes so soon that the two may collide. */
  readonly isRushed: boolean
}

const steps = fc.array(
  fc.record<Step>({
    who: fc.constantFrom('alice', 'bob'),
    wish: fc.constantFrom('sendrecv', 'sendonly', 'recvonly', 'inactive'),
    codecs: fc.uniqueArray(fc.constantFrom<Voice[]>('PCMU', 'PCMA', 'G722'), { minLength: 1, maxLength: 3 }),
    isUpdate: fc.boolean(),
    isRushed: fc.boolean(),
  }),
  { minLength: 1, maxLength: 6 },
)

const NAMES: readonly [Voice, RegExp][] = [
  ['PCMU', /PCMU/],
  ['PCMA', /PCMA/],
  ['G722', /G722/],
]

/** A phone that never gives up its wish: it answers with as much of it as the offer leaves, and in any codec. */
function stubborn(call: PhoneCall, wishes: { wish: Direction }): void {
  call.answer = (offer) => {
    const said = /a=(sendrecv|sendonly|recvonly|inactive)/.exec(offer)?.[1] as Direction
    const { wish } = wishes
    const codecs = NAMES.filter(([, pattern]) => pattern.test(offer)).map(([name]) => name)
    return phoneSdp({ codecs, direction: directionFrom(sends(wish) && receives(said), receives(wish) && sends(said)) })
  }
}

test('SIP-18: whatever two parties offer, even at once, in the end media flows exactly where both want it, in what both carry', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const bench = new CallBench()
      const alice = bench.alice.call(bench.uri('bob'), { body: phoneSdp({ codecs: ['PCMA', 'G722'] }) })
      await bench.pass()
      const bob = bench.bob.incoming[0]!
      bob.accept(phoneSdp({ codecs: ['PCMA', 'G722'] }))
      await bench.pass()
      const wishes = { alice: { wish: 'sendrecv' as Direction }, bob: { wish: 'sendrecv' as Direction } }
      stubborn(alice, wishes.alice)
      stubborn(bob, wishes.bob)
      for (const { who, wish, codecs, isUpdate, isRushed } of script) {
        const dialog = (who === 'alice' ? alice : bob).dialog!
        const body = phoneSdp({ direction: wish, codecs })
        const asked = isUpdate ? dialog.request('UPDATE', { body }) : dialog.reinvite({ body })
        void asked.then((outcome) => {
          if (outcome.status === 200) wishes[who].wish = wish
        })
        await bench.pass(isRushed ? 1 : 30_000)
      }
      await bench.pass(60_000)
      const { legs } = bench.engine.last
      const [near, far] = [legs.get('caller')?.media, legs.get('callee-1')?.media]
      const isForth = sends(wishes.alice.wish) && receives(wishes.bob.wish)
      const isBack = sends(wishes.bob.wish) && receives(wishes.alice.wish)
      const expected = { forth: [isForth, isForth], back: [isBack, isBack] }
      assert.deepEqual({ forth: [near?.receive, far?.send], back: [far?.receive, near?.send] }, expected)
      const voices = [near, far].map((media) => media?.codecs.map((codec) => codec.encoding).sort())
      assert.deepEqual(voices[0], voices[1], 'neither party sends what the other does not carry')
      assert.notEqual(voices[0]?.length, 0)
      void alice.dialog?.bye()
      await bench.checkNothingLeft()
    }),
    { numRuns: 60, seed: 7 },
  )
})
