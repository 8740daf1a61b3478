// Plain data as YAML, for a configuration file.

/** Text of objects, lists and scalars, two spaces a level. */
export function yamlOf(value: unknown): string {
  return `${lines(value).join('\n')}\n`
}

function lines(value: unknown): string[] {
  if (Array.isArray(value) && value.length > 0) {
    return value.flatMap((item) => lines(item).map((line, at) => `${at === 0 ? '- ' : '  '}${line}`))
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [scalar(value)]
  return Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .flatMap(([key, inner]) => {
      const [first = '', ...rest] = lines(inner)
      const isBlock = typeof inner === 'object' && inner !== null && Object.keys(inner).length > 0
      return isBlock ? [`${key}:`, ...[first, ...rest].map((line) => `  ${line}`)] : [`${key}: ${first}`]
    })
}

function scalar(value: unknown): string {
  return typeof value === 'string' &&
    /^[A-Za-z][\w.-]*$/.test(value) &&
    !/^(true|false|null|yes|no|on|off|y|n)$/i.test(value)
    ? value
    : JSON.stringify(value)
}
