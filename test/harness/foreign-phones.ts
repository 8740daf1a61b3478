// Softphones that people use, each saying one tone for as long as a call lasts.

import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { freePort, freeTcpPort } from './free-port.ts'
import { type RunningTool, runTool, startTool } from './tools.ts'
import { until } from './until.ts'

const HOST = '127.0.0.1'
const BARESIP_MODULES = '/usr/lib/baresip/modules'
const TALK_SECONDS = 40

/** A softphone under way. */
export interface ForeignPhone {
  readonly uri: string
  call(uri: string): void
  hold(): void
  resume(): void
  hangUp(): void
  /** What it has written so far. */
  said(): string
  /** Ends the program. */
  close(): Promise<void>
}

/** What a phone is given. */
export interface ForeignPhoneOptions {
  /** Working folder; the phone makes one of its own there. */
  readonly folder: string
  readonly user: string
  /** Pitch of what it says. */
  readonly hz: number
}

/** baresip, which answers whoever calls. */
export async function openBaresip(
  options: ForeignPhoneOptions & { readonly codecs?: string; readonly isSrtp?: boolean },
): Promise<ForeignPhone> {
  const { user, codecs = 'pcmu,pcma', isSrtp = false } = options
  const { folder, speech } = await homeOf(options)
  const [port, controlPort, mediaPort] = [await freePort(), await freeTcpPort(), await freePort()]
  const config = [
    `sip_listen ${HOST}:${port}`,
    `audio_source aufile,${speech}`,
    `audio_player aufile,${join(folder, 'heard.wav')}`,
    ...['ausrc_srate 8000', 'auplay_srate 8000', 'ausrc_channels 1', 'auplay_channels 1'],
    `rtp_ports ${mediaPort & ~1}-${(mediaPort & ~1) + 9}`,
    `module_path ${BARESIP_MODULES}`,
    ...['g711', 'aufile', 'srtp'].map((name) => `module ${name}.so`),
    ...['account', 'menu', 'ctrl_tcp'].map((name) => `module_app ${name}.so`),
    `ctrl_tcp_listen ${HOST}:${controlPort}`,
  ]
  const account = `<sip:${user}@${HOST}:${port};transport=udp>;regint=0;answermode=auto;audio_codecs=${codecs}`
  await writeFile(join(folder, 'config'), `${config.join('\n')}\n`)
  await writeFile(join(folder, 'accounts'), `${account}${isSrtp ? ';mediaenc=srtp-mand' : ''}\n`)
  await writeFile(join(folder, 'contacts'), '')
  const running = startTool('baresip', ['-f', folder], folder)
  await until('baresip is ready', () => running.heard().includes('baresip is ready'))
  const control = connect({ host: HOST, port: controlPort })
  // What it answers is not needed, and one that has ended does not answer.
  control.resume().on('error', () => {})
  const command = (name: string, params = ''): void => {
    const text = JSON.stringify({ command: name, params })
    control.write(`${text.length}:${text},`)
  }
  return {
    uri: `sip:${user}@${HOST}:${port};transport=udp`,
    call: (uri) => command('dial', uri),
    hold: () => command('hold'),
    resume: () => command('resume'),
    hangUp: () => command('hangup'),
    said: running.heard,
    close: async () => {
      control.destroy()
      await end(running)
    },
  }
}

/** linphone on the command line, which answers whoever calls. */
export async function openLinphone(
  options: ForeignPhoneOptions & { readonly isRecordAware?: boolean },
): Promise<ForeignPhone> {
  const { user, isRecordAware = false } = options
  const { folder, speech } = await homeOf(options)
  const [port, mediaPort] = [await freePort(), await freePort()]
  const config = [
    ...['[sip]', `sip_port=${port}`, 'sip_tcp_port=0', 'sip_tls_port=0', 'use_ipv6=0', 'guess_hostname=0'],
    ...[`contact="${user}" <sip:${user}@${HOST}>`, 'media_encryption=none'],
    ...['[rtp]', `audio_rtp_port=${mediaPort & ~1}`, '[sound]', 'echocancellation=0'],
    ...['[app]', `record_aware=${isRecordAware ? 1 : 0}`],
    ...['[video]', 'capture=0', 'display=0', 'automatically_initiate=0', 'automatically_accept=0'],
  ]
  const file = join(folder, 'linphonerc')
  await writeFile(file, `${config.join('\n')}\n`)
  // Without its database folder it does not open its sockets.
  for (const name of ['.local/share/linphone', '.config/linphone']) await mkdir(join(folder, name), { recursive: true })
  const running = startTool('linphonec', ['-c', file, '-a', '-d', '6'], folder, { isTold: true, env: { HOME: folder } })
  running.tell('soundcard use files')
  running.tell(`play ${speech}`)
  await until('linphone is ready', () => running.heard().includes('Using wav files'))
  return {
    uri: `sip:${user}@${HOST}:${port};transport=udp`,
    call: (uri) => running.tell(`call ${uri}`),
    hold: () => running.tell('pause'),
    resume: () => running.tell('resume'),
    hangUp: () => running.tell('terminate'),
    said: running.heard,
    close: async () => {
      running.tell('quit')
      await end(running)
    },
  }
}

async function homeOf({ folder, user, hz }: ForeignPhoneOptions): Promise<{ folder: string; speech: string }> {
  const home = join(folder, user)
  await mkdir(home)
  const speech = join(home, 'speech.wav')
  const sine = ['synth', `${TALK_SECONDS}`, 'sine', `${hz}`, 'gain', '-9']
  await runTool('sox', ['-n', '-r', '8000', '-c', '1', '-b', '16', speech, ...sine])
  return { folder: home, speech }
}

async function end(running: RunningTool): Promise<void> {
  running.stop()
  await running.ended
}
