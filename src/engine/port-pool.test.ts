import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import test, { type TestContext } from 'node:test'
import { ManualClock } from '#kernel'
import { bindPortPair, closeSocket, type PortPair, PortPool } from './port-pool.ts'

const HOST = '127.0.0.1'

/** A port pair that was free a moment ago. */
async function freePort(): Promise<number> {
  for (;;) {
    const socket = createSocket('udp4')
    const port = await new Promise<number>((resolve) => socket.bind(0, HOST, () => resolve(socket.address().port)))
    await closeSocket(socket)
    const pair = port % 2 === 0 && port < 65_530 ? await bindPortPair(HOST, port) : undefined
    if (pair === undefined) continue
    await closePair(pair)
    return port
  }
}

async function closePair(pair: PortPair): Promise<void> {
  await Promise.all([closeSocket(pair.rtp), closeSocket(pair.rtcp)])
}

async function poolOf(t: TestContext, pairs: number): Promise<{ pool: PortPool; clock: ManualClock; first: number }> {
  const clock = new ManualClock()
  const first = await freePort()
  const portMax = first + 2 * pairs - 1
  const pool = new PortPool({ host: HOST, portMin: first - 1, portMax, clock, randomInteger: () => 0 })
  t.diagnostic(`ports ${first} to ${portMax}`)
  return { pool, clock, first }
}

const noPorts = { code: 'media.no-ports' }

test('hands out even and odd neighbours, bound, and closes them on release', async (t) => {
  const { pool, first } = await poolOf(t, 1)
  const pair = await pool.take()
  assert.equal(pair.port, first)
  assert.equal(pair.rtp.address().port, first)
  assert.equal(pair.rtcp.address().port, first + 1)
  assert.equal(pool.boundPorts, 2)
  await assert.rejects(pool.take(), noPorts)
  await pool.release(pair)
  assert.equal(pool.boundPorts, 0)
  const again = await bindPortPair(HOST, first)
  assert.ok(again !== undefined)
  await closePair(again)
})

test('lets a released pair rest for a second', async (t) => {
  const { pool, clock } = await poolOf(t, 1)
  await pool.release(await pool.take())
  clock.advance(999)
  await assert.rejects(pool.take(), noPorts)
  clock.advance(1)
  await pool.release(await pool.take())
})

test('goes on to the next pair when another program holds either port', async (t) => {
  const { pool, first } = await poolOf(t, 2)
  const stranger = createSocket('udp4')
  await new Promise<void>((resolve) => void stranger.bind(first + 1, HOST, () => resolve()))
  const pair = await pool.take().catch(() => undefined)
  await closeSocket(stranger)
  // The second pair may itself be taken on a busy machine; the first must not be handed out.
  assert.notEqual(pair?.port, first)
  if (pair !== undefined) await pool.release(pair)
})

test('an address that is not ours is a failure of its own', async () => {
  await assert.rejects(bindPortPair('192.0.2.1', 40_000), { code: 'media.bind-failed' })
})
