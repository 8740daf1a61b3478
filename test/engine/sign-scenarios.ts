// Signs of life: of a recorder that takes audio, and of a party that says nothing.

import assert from 'node:assert/strict'
import type { Scenario } from './scene.ts'

const RECEIVER_REPORT = Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 9)
const HOST = '127.0.0.1'

/** Declares the tests of signs of life. */
export function signScenarios(scenario: Scenario): void {
  scenario('a report of the recorder is a sign of life, told once, from any port of its host', async (scene) => {
    const a = await scene.leg('a')
    const { recorder, local } = await scene.fork('f', 'a', 'received')
    const other = await scene.party()
    a.party.talk(a.local.rtpPort, 1)
    await recorder.hears(3)
    const before = (await scene.call.counters()).forks[0]
    assert.equal(before?.lastHeardAtMs, undefined)
    const askedAtMs = performance.timeOrigin + performance.now()
    other.rtcpSocket.send(RECEIVER_REPORT, local.rtcpPort, HOST)
    const heard = await scene.event('fork-heard')
    assert.equal(heard.fork, 'f')
    recorder.rtcpSocket.send(RECEIVER_REPORT, local.rtcpPort, HOST)
    recorder.rtpSocket.send(RECEIVER_REPORT, local.rtpPort, HOST)
    await recorder.hears(3)
    const counters = await scene.call.removeFork('f')
    assert.ok((counters.lastHeardAtMs ?? 0) >= askedAtMs - 1)
    assert.equal(scene.events.filter((event) => event.type === 'fork-heard').length, 1)
    assert.equal(scene.events.filter((event) => event.type === 'fork-unheard').length, 0)
  })

  scenario('a recorder of which nothing is heard is told of at 5 s, one whose gate is shut never', async (scene) => {
    const a = await scene.leg('a')
    const { recorder } = await scene.fork('f', 'a', 'received')
    const shut = await scene.fork('g', 'a', 'received')
    a.party.talk(a.local.rtpPort, 1)
    const [first] = await recorder.hears(1)
    await shut.recorder.hears(1)
    await scene.call.shutGates(['g'])
    const unheard = await scene.event('fork-unheard', 7000)
    assert.equal(unheard.fork, 'f')
    assert.ok(unheard.forMs >= 5000 && unheard.forMs < 5700, `told after ${unheard.forMs} ms`)
    assert.ok(performance.now() - first!.atMs >= 5000)
    assert.equal(scene.events.filter((event) => event.type === 'fork-unheard').length, 1)
  })

  scenario('a party that sends RTCP but no RTP is not silent', async (scene) => {
    const a = await scene.leg('a')
    const startedMs = performance.now()
    const answer = (): void => a.party.rtcpSocket.send(RECEIVER_REPORT, a.local.rtcpPort, HOST)
    a.party.rtcpSocket.on('message', answer)
    await a.party.until('reports for longer than the limit', () => performance.now() - startedMs > 1000)
    assert.equal(scene.events.filter((event) => event.type === 'silent').length, 0)
    a.party.rtcpSocket.off('message', answer)
    assert.ok((await scene.event('silent')).forMs >= 600)
  })
}
