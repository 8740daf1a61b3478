// The reference page of the configuration, made from the schema.

import { expectation, type SchemaNode } from './config-check.ts'
import { configSchema } from './config-schema.ts'

/** Markdown of `docs/reference/config.md`. */
export function configReference(): string {
  const lines = [
    '# Configuration',
    '',
    'One YAML file; `config/example.yaml` shows every key. Unknown keys are errors. This page is made from the schema.',
    '',
  ]
  const { properties = {} } = configSchema as SchemaNode
  for (const [name, node] of Object.entries(properties)) {
    lines.push(`## ${name}`, '', node.description ?? '', '')
    lines.push('| key | value | default | meaning |', '|---|---|---|---|')
    for (const row of configKeys(node, name)) {
      lines.push(
        `| \`${row.key}\` | ${cell(expectation(row.node))} | ${defaultText(row)} | ${cell(row.node.description ?? '')} |`,
      )
    }
    lines.push('')
  }
  return lines.join('\n')
}

/** One key of the configuration; entries of lists stand as `key[]`. */
export interface ConfigKey {
  readonly key: string
  readonly node: SchemaNode
  readonly isRequired: boolean
}

/** Every key below a section, in the order of the schema. */
export function configKeys(node: SchemaNode, path: string): ConfigKey[] {
  const keys: ConfigKey[] = []
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const key = `${path}.${name}`
    const entry = child.items?.properties === undefined ? undefined : child.items
    if (child.properties === undefined) {
      keys.push({ key, node: child, isRequired: node.required?.includes(name) === true })
    }
    keys.push(...configKeys(child, key))
    if (entry !== undefined) keys.push(...configKeys(entry, `${key}[]`))
  }
  return keys
}

function defaultText({ node, isRequired }: ConfigKey): string {
  if (node.default !== undefined) return cell(`\`${JSON.stringify(node.default)}\``)
  return isRequired ? 'required' : 'none'
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
