// Where the roles of this program can be reached, for people who point something at it, and for its own test calls.

import type { SetUpView } from '#control'
import type { BoundListener } from '#net'
import type { Config } from './config-schema.ts'

interface Listening {
  readonly listeners: readonly BoundListener[]
}

type Place = NonNullable<SetUpView['gateway']>

/** Addresses as they are bound, with the hosts that the configuration advertises. */
export function setUpOf(
  { gateway, recorder }: Config,
  opened: { readonly gateway?: Listening; readonly recorder?: Listening },
): SetUpView {
  return {
    ...(gateway === undefined || opened.gateway === undefined ? {} : { gateway: placeOf(gateway, opened.gateway) }),
    ...(recorder === undefined || opened.recorder === undefined
      ? {}
      : { recorder: placeOf(recorder, opened.recorder) }),
    recorders: [...(gateway?.recording.recorders ?? [])],
  }
}

/** URI of our own recorder, as this machine reaches it; undefined without one. */
export function ownRecorderOf({ recorder }: SetUpView): string | undefined {
  const listeners = recorder?.listeners ?? []
  const listener = listeners.find(({ transport }) => transport === 'tcp') ?? listeners[0]
  if (listener === undefined) return undefined
  const { transport, host, port } = listener
  const near = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `sip:srs@${near.includes(':') ? `[${near}]` : near}:${port};transport=${transport}`
}

function placeOf(
  { sip, media }: NonNullable<Config['gateway']> | NonNullable<Config['recorder']>,
  { listeners }: Listening,
): Place {
  const advertised = sip.advertisedHost ?? media.advertisedHost
  return {
    listeners: listeners.map(({ transport, host, port }) => ({ transport, host, port })),
    advertisedHost: advertised ?? listeners[0]?.host ?? media.host,
    mediaPorts: [media.portMin, media.portMax],
  }
}
