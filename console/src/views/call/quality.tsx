// Quality over time: packets per second and losses of each speaker, from the counters of the trace.

import { useEffect, useMemo, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import type { CallView } from '../../../../src/control/contract.ts'
import type { MediaSample } from '../../../../src/control/trace-contract.ts'
import { clockTime, nameOf } from '../../data/format.ts'
import { isDark } from '../../data/theme.ts'

const HEIGHT = 200

interface Line {
  readonly name: string
  readonly packets: readonly (number | null)[]
  readonly lost: readonly (number | null)[]
}

/** The lines of all speakers: per second between two samples, the loss in percent. */
function linesOf(media: readonly MediaSample[], call: CallView): readonly Line[] {
  const legs = [...new Set(media.flatMap(({ speakers }) => speakers.map(({ leg }) => leg)))]
  return legs.map((leg) => {
    const aor = call.parties.find((party) => party.leg === leg && party.role !== 'automaton')?.aors[0]
    const packets: (number | null)[] = []
    const lost: (number | null)[] = []
    for (const [index, sample] of media.entries()) {
      const now = sample.speakers.find((speaker) => speaker.leg === leg)
      const earlier = media[index - 1]
      const before = earlier?.speakers.find((speaker) => speaker.leg === leg)
      if (now === undefined || before === undefined || earlier === undefined) {
        packets.push(null)
        lost.push(null)
        continue
      }
      const seconds = (Date.parse(sample.at) - Date.parse(earlier.at)) / 1000
      const arrived = now.packets - before.packets
      const gone = Math.max(0, now.lost - before.lost)
      packets.push(arrived / seconds)
      lost.push(arrived + gone === 0 ? null : (100 * gone) / (arrived + gone))
    }
    return { name: aor === undefined ? leg : nameOf(aor), packets, lost }
  })
}

/** Both charts, and the same in words for those who do not see them. */
export function Quality({ media, call }: { media: readonly MediaSample[]; call: CallView }) {
  const lines = useMemo(() => linesOf(media, call), [media, call])
  const times = useMemo(() => media.map(({ at }) => Date.parse(at) / 1000), [media])
  const latest = media.at(-1)
  return (
    <section aria-labelledby="quality-title">
      <h2 id="quality-title">Quality over time</h2>
      {media.length < 2 ? (
        <p class="muted">A sample is taken every five seconds; there are not two yet.</p>
      ) : (
        <>
          <p class="muted">
            From {clockTime(media[0]?.at ?? '')} to {clockTime(latest?.at ?? '')}:{' '}
            {latest?.speakers
              .map(({ leg, packets, lost }) => `${leg} sent ${packets} packets, ${lost} were lost`)
              .join('; ')}
            .
          </p>
          <div class="charts">
            <Chart title="Packets per second" times={times} lines={lines.map(({ name, packets }) => [name, packets])} />
            <Chart title="Lost, percent" times={times} lines={lines.map(({ name, lost }) => [name, lost])} />
          </div>
        </>
      )}
    </section>
  )
}

function Chart({
  title,
  times,
  lines,
}: {
  title: string
  times: readonly number[]
  lines: readonly (readonly [name: string, values: readonly (number | null)[]])[]
}) {
  const place = useRef<HTMLDivElement>(null)
  const shade = isDark.value
  useEffect(() => {
    const element = place.current
    if (element === null) return
    const style = getComputedStyle(document.documentElement)
    const colour = (name: string): string => style.getPropertyValue(name).trim()
    const axis = { stroke: colour('--muted'), grid: { stroke: colour('--line') }, ticks: { stroke: colour('--line') } }
    const plot = new uPlot(
      {
        title,
        width: element.clientWidth,
        height: HEIGHT,
        series: [
          {},
          ...lines.map(([label], index) => ({ label, width: 2, stroke: colour(`--voice-${(index % 4) + 1}`) })),
        ],
        axes: [axis, axis],
        scales: { y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.1)] } },
      },
      [[...times], ...lines.map(([, values]) => [...values])],
      element,
    )
    const resizes = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }))
    resizes.observe(element)
    return () => {
      resizes.disconnect()
      plot.destroy()
    }
  }, [title, times, lines, shade])
  return <div ref={place} class="chart" role="img" aria-label={title} />
}
