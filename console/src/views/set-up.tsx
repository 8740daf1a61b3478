// Point your SBC here: our real addresses, what to write at each vendor, and a test call.

import { useState } from 'preact/hooks'
import type { SetUpView as SetUp } from '../../../src/control/set-up-contract.ts'
import { CopyBlock } from '../components/copy-block.tsx'
import { Trouble } from '../components/trouble.tsx'
import { may, offers } from '../data/abilities.ts'
import { useResource } from '../data/resource.ts'
import { TestCallPanel } from './set-up/test-call.tsx'
import { vendors } from './set-up/vendors.ts'

type Role = NonNullable<SetUp['recorder']>

/** The page. */
export function SetUpView() {
  const { value, error, reload } = useResource<SetUp>('/api/set-up')
  return (
    <>
      <h1>Set-up</h1>
      <Trouble error={error} onRetry={reload} />
      {offers('/api/test-calls') && may('calls:control') && (
        <section class="card" aria-labelledby="test-call-title">
          <h2 id="test-call-title">Test call</h2>
          <p class="muted">
            A caller and a callee inside this program talk through the gateway for a minute and are recorded like any
            other call. No phone and no microphone is needed.
          </p>
          <TestCallPanel />
        </section>
      )}
      {value?.recorder !== undefined && <RecorderSection recorder={value.recorder} />}
      {value?.gateway !== undefined && <GatewaySection gateway={value.gateway} recorders={value.recorders} />}
    </>
  )
}

function RecorderSection({ recorder }: { recorder: Role }) {
  const [host, setHost] = useState(hostOf(recorder))
  const [name, setName] = useState(vendors[0]?.name ?? '')
  const vendor = vendors.find((one) => one.name === name)
  const listener = recorder.listeners.find(({ transport }) => transport === 'tcp') ?? recorder.listeners[0]
  const { transport, port } = listener ?? { transport: 'tcp' as const, port: 5060 }
  const [from, to] = recorder.mediaPorts
  return (
    <section class="card" aria-labelledby="recorder-title">
      <h2 id="recorder-title">Point your SBC at this recorder</h2>
      <p>It takes SIPREC sessions here:</p>
      <Addresses role={recorder} host={host} user="srs" />
      <form class="form-row" onSubmit={(event) => event.preventDefault()}>
        <label>
          Address that your SBC reaches this machine at
          <input value={host} onInput={(event) => setHost(event.currentTarget.value.trim())} />
        </label>
        <label>
          Your SBC
          <select value={name} onChange={(event) => setName(event.currentTarget.value)}>
            {vendors.map((one) => (
              <option key={one.name} value={one.name}>
                {one.name}
              </option>
            ))}
          </select>
        </label>
      </form>
      {isLoopback(recorder.listeners[0]?.host) && (
        <p class="alarm" data-severity="warning">
          This recorder listens on loopback only, so nothing outside this machine reaches it. Set{' '}
          <code>recorder.sip.listen</code> and <code>recorder.media.host</code> to an address of this machine and{' '}
          <code>recorder.sources</code> to the addresses of your SBCs, and start it again.
        </p>
      )}
      {vendor !== undefined && (
        <>
          <p>{vendor.how}</p>
          {vendor.snippet !== undefined && (
            <CopyBlock title={vendor.name} text={vendor.snippet({ host, port, transport })} />
          )}
          <p class="muted">
            {vendor.see === undefined
              ? 'Not verified by us: we found no public document that says it. Tell us what your client really wants.'
              : `Compared with: ${vendor.see}. Not tried on the device.`}
          </p>
        </>
      )}
      <p class="muted">
        Let through the firewall: {transport === 'udp' ? 'UDP' : 'TCP'} {port}, and UDP {from} to {to} for the audio.
        What the recorder refuses, and what your SBC does against the RFCs, shows on the page Recorders.
      </p>
    </section>
  )
}

function GatewaySection({ gateway, recorders }: { gateway: Role; recorders: readonly string[] }) {
  const [from, to] = gateway.mediaPorts
  return (
    <section class="card" aria-labelledby="gateway-title">
      <h2 id="gateway-title">Point a trunk or a PBX at this gateway</h2>
      <p>
        A PBX without SIPREC of its own, such as FreeSWITCH or Asterisk, is recorded by sending its calls through the
        gateway: make it a trunk there, and write a route for what is dialled under <code>gateway.routes</code>.
      </p>
      <Addresses role={gateway} host={hostOf(gateway)} />
      <p class="muted">
        Audio: UDP {from} to {to}.{' '}
        {recorders.length === 0
          ? 'No recorder is configured under gateway.recording.recorders.'
          : `Recordings go to ${recorders.join(', ')}.`}
      </p>
    </section>
  )
}

function Addresses({ role, host, user }: { role: Role; host: string; user?: string }) {
  return (
    <ul class="plain">
      {role.listeners.map(({ transport, port }) => (
        <li key={`${transport}${port}`}>
          <code>
            {transport === 'tls' ? 'sips' : 'sip'}:{user === undefined ? '' : `${user}@`}
            {host}:{port}
            {transport === 'tls' ? '' : `;transport=${transport}`}
          </code>
        </li>
      ))}
    </ul>
  )
}

function isLoopback(host = ''): boolean {
  return host.startsWith('127.') || host === '::1'
}

/** The address as others know it; this page's own where the program listens on all. */
function hostOf({ advertisedHost }: Role): string {
  return advertisedHost === '0.0.0.0' || advertisedHost === '::' ? location.hostname : advertisedHost
}
