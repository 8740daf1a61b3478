// Kamailio as the proxy that stands in front of everything: it puts itself into every dialog and changes the transport.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startTool } from './tools.ts'
import { until } from './until.ts'

const HOST = '127.0.0.1'
const MODULES = '/usr/lib/x86_64-linux-gnu/kamailio/modules/'

/** A proxy under way. */
export interface Proxy {
  /** Methods of the requests within dialogs that it has sent on, in their order. */
  relayedWithin(): readonly string[]
  close(): Promise<void>
}

/** Starts a proxy at a port, UDP and TCP, that sends the requests for a user on to the URI of `routes`. */
export async function openKamailio(
  folder: string,
  port: number,
  routes: Readonly<Record<string, string>>,
): Promise<Proxy> {
  const file = join(folder, 'kamailio.cfg')
  const choices = Object.entries(routes).map(([user, uri]) => `if ($rU == "${user}") { $du = "${uri}"; }`)
  await writeFile(file, configuration(port, choices))
  const running = startTool(
    'kamailio',
    ['-f', file, '-DD', '-E', '-w', folder, '-Y', folder, '-m', '32', '-M', '4'],
    folder,
  )
  let log = ''
  running.onStderr((text) => {
    log = text
  })
  await until('kamailio is ready', () => log.includes('ready for'))
  return {
    relayedWithin: () => [...log.matchAll(/within dialog: (\w+)/g)].map(([, method = '']) => method),
    close: async () => {
      running.stop()
      await running.ended
    },
  }
}

function configuration(port: number, choices: readonly string[]): string {
  return `#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=1
tcp_children=1
auto_aliases=no
listen=udp:${HOST}:${port}
listen=tcp:${HOST}:${port}
mpath="${MODULES}"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "xlog.so"
loadmodule "siputils.so"
modparam("rr", "enable_double_rr", 1)
event_route[core:worker-one-init] {
  xlog("L_ERR", "ready for requests\\n");
}
request_route {
  if ($rm == "CANCEL") {
    if (t_check_trans()) { t_relay(); }
    exit;
  }
  if (has_totag()) {
    if (loose_route()) {
      xlog("L_ERR", "within dialog: $rm\\n");
      t_relay();
    } else if ($rm == "ACK" && t_check_trans()) {
      t_relay();
    } else {
      sl_send_reply("404", "Not of this proxy");
    }
    exit;
  }
  record_route();
  ${choices.join('\n  ')}
  t_relay();
}
`
}
