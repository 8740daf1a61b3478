// What is known of something, line by line; what is not known is left out.

/** A name and what stands behind it. */
export type Fact = readonly [name: string, value: string | undefined]

/** The list of the facts that there are. */
export function FactList({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl class="recording-facts">
      {facts
        .filter(([, value]) => value !== undefined && value !== '')
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  )
}
