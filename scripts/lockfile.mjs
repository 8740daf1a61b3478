// Completes package-lock.json after `npm install`: a registry that lacks other platforms' binaries leaves their entries out, and
// `npm ci` then refuses the lockfile. The entries carry no hash, so npm checks them against the registry when it installs one.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const path = join(dirname(fileURLToPath(import.meta.url)), '..', 'package-lock.json')
const lock = JSON.parse(readFileSync(path, 'utf8'))
const systems = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32']
const processors = ['arm64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'x64']
let added = 0

for (const [owner, entry] of Object.entries({ ...lock.packages })) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`
    if (owner === '' || key in lock.packages || `${owner}/${key}` in lock.packages) continue
    const words = name.split('/').at(-1).split('-')
    const os = systems.find((system) => words.includes(system))
    const cpu = processors.find((processor) => words.some((word) => word === processor))
    if (os === undefined || !/^\d/.test(version)) {
      console.error(`not a platform package: ${name} of ${owner}`)
      continue
    }
    lock.packages[key] = {
      version,
      ...(cpu === undefined ? {} : { cpu: [cpu] }),
      ...(entry.dev ? { dev: true } : {}),
      optional: true,
      os: [os],
    }
    added += 1
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
console.log(`${added} entries added`)
