// What a page of the console lets one see and hear: the meters of a live call, and the player.

/** Loudest level of each speaker's meter in a while, in dBFS. */
export function watchMeters(page, forMs) {
  return page.evaluate(async (forMs) => {
    const loudest = new Map()
    const endsAt = performance.now() + forMs
    while (performance.now() < endsAt) {
      for (const meter of document.querySelectorAll('[role=meter]')) {
        const name = meter.getAttribute('aria-label') ?? ''
        const dbfs = Number(meter.getAttribute('aria-valuenow'))
        loudest.set(name, Math.max(loudest.get(name) ?? -Infinity, dbfs))
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return [...loudest].map(([name, dbfs]) => ({ name, dbfs }))
  }, forMs)
}

/** Follows the player to behind the pause: how far it came, and the loudest that its lanes showed inside and outside the pause, in dBFS. */
export async function playerLoudness(page, fromS, toS) {
  // It is told to play when it has what it needs, which is after the button was pressed.
  await page.waitForFunction(() => globalThis.playerElement !== undefined)
  return await page.evaluate(
    async ([fromS, toS]) => {
      const dbfsOf = (level) => (level === 0 ? -100 : 20 * Math.log10(level))
      const element = globalThis.playerElement
      const [inside, outside] = [[], []]
      const [startedAt, startedS] = [performance.now(), element.currentTime]
      const isOver = () => element.ended || performance.now() > startedAt + 60_000
      while (!isOver() && element.currentTime < toS + 5) {
        const atS = element.currentTime
        const kept = atS > fromS && atS < toS ? inside : outside
        for (const [lane, meter] of [...document.querySelectorAll('.lane-head .meter > span')].entries()) {
          kept[lane] = Math.max(kept[lane] ?? 0, Number(meter.dataset.level ?? 0))
        }
        await new Promise((resolve) => requestAnimationFrame(resolve))
      }
      const took = (performance.now() - startedAt) / 1_000
      return { moved: element.currentTime - startedS, took, inside: inside.map(dbfsOf), outside: outside.map(dbfsOf) }
    },
    [fromS, toS],
  )
}

/** Loudness of the audio that the player plays, decoded by the browser: RMS of each channel inside and outside the pause, in dBFS. */
export function decodedLoudness(page, fromS, toS) {
  return page.evaluate(
    async ([fromS, toS]) => {
      const bytes = await (await fetch(globalThis.playerElement.currentSrc)).arrayBuffer()
      const audio = await new OfflineAudioContext(2, 8_000, 8_000).decodeAudioData(bytes)
      const channels = Array.from({ length: audio.numberOfChannels }, (_, at) => audio.getChannelData(at))
      const rms = (samples) => {
        const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length
        return power === 0 ? -100 : 10 * Math.log10(power)
      }
      const [from, to] = [Math.round(fromS * audio.sampleRate), Math.round(toS * audio.sampleRate)]
      return {
        inside: channels.map((samples) => rms(samples.slice(from, to))),
        outside: channels.map((samples) => rms(samples.slice(0, from))),
      }
    },
    [fromS, toS],
  )
}
