// `check URI`: places a synthetic recorded call at a recorder, and says what it supports and what to set here.

import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import type { TlsOptions } from '#net'
import { type CheckReport, checkText } from '#recorder-check'
import { parseSipUri } from '#sip'
import { runCheck } from '../check.ts'
import { readPassword } from '../recorder-password.ts'
import { invalidArgument, portRangeOf } from './addresses.ts'

const PASSWORD_VARIABLE = 'SIPREC_CHECK_PASSWORD'

interface CheckArguments {
  readonly host: string
  readonly mediaPorts: string
  readonly seconds: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly tlsCa?: string
  readonly user?: string
  readonly passwordFile?: string
  readonly md5: boolean
  readonly json: boolean
}

/** Adds the command. */
export function addCheckCommand(program: Command): void {
  program
    .command('check')
    .description('place a synthetic recorded call at a recorder; say what it supports and what to set here')
    .argument('<uri>', 'the recorder, e.g. sip:srs.example.com; nothing else is dialled')
    .option('--host <address>', 'IP address of this machine that the recorder reaches', '127.0.0.1')
    .option('-m, --media-ports <first-last>', 'range of RTP ports', '44000-44099')
    .option('--seconds <n>', 'how long the tone is sent', '8')
    .option('--tls-cert <file>', 'certificate to show over TLS (PEM); with --tls-key, TLS is tried')
    .option('--tls-key <file>', 'key of the certificate (PEM)')
    .option('--tls-ca <file>', "authorities that the recorder's certificate must be signed by (PEM)")
    .option(
      '--user <name>',
      `who to be for a recorder that asks; the password is in --password-file or in ${PASSWORD_VARIABLE}`,
    )
    .option('--password-file <file>', 'file whose first line is the password')
    .option('--md5', 'answer a challenge by MD5, which is weak, too', false)
    .option('--json', 'write JSON instead of text', false)
    .addHelpText('after', '\nExit code: 0 a recording session came about, 1 it did not.')
    .action(async (uri: string, given: CheckArguments) => {
      const report = await runCheck({ uri: recorderUri(uri), ...(await surroundingsOf(given)) })
      process.stdout.write(given.json ? `${JSON.stringify(report, null, 2)}\n` : reportText(report))
      process.exitCode = report.isRecorder ? 0 : 1
    })
}

/** The report for people, with the profile as it stands in a configuration. */
export function reportText(report: CheckReport): string {
  if (!report.isRecorder) return checkText(report)
  return `${checkText(report)}\nwhat to set here:\n\n${stringify({ gateway: { recording: { profiles: [report.profile] } } })}`
}

function recorderUri(text: string): string {
  const uri = parseSipUri(text)
  if (!uri.ok || uri.value.scheme === 'tel') throw invalidArgument(`${text} is no sip or sips URI`)
  return text
}

async function surroundingsOf({ host, mediaPorts, seconds, ...files }: CheckArguments) {
  const talkMs = Number(seconds) * 1000
  if (!(talkMs >= 0 && talkMs <= 600_000)) throw invalidArgument('--seconds is a number from 0 to 600')
  const [tls, credentials] = [await tlsOf(files), await credentialsOf(files)]
  return {
    host,
    mediaPorts: portRangeOf(mediaPorts),
    talkMs,
    ...(tls === undefined ? {} : { tls }),
    ...(credentials === undefined ? {} : { credentials }),
  }
}

async function credentialsOf({ user, passwordFile, md5 }: Pick<CheckArguments, 'user' | 'passwordFile' | 'md5'>) {
  if (user === undefined) return undefined
  const place = passwordFile === undefined ? { passwordVariable: PASSWORD_VARIABLE } : { passwordFile }
  const password = await readPassword(place)
  if (!password.ok) throw invalidArgument(`the password of --user: ${password.error.expected}`)
  return { username: user, password: password.value, allowMd5: md5 }
}

async function tlsOf(files: Pick<CheckArguments, 'tlsCert' | 'tlsKey' | 'tlsCa'>): Promise<TlsOptions | undefined> {
  const { tlsCert, tlsKey, tlsCa } = files
  if (tlsCert === undefined || tlsKey === undefined) return undefined
  const [cert, key] = [await readFile(tlsCert, 'utf8'), await readFile(tlsKey, 'utf8')]
  return { cert, key, ...(tlsCa === undefined ? {} : { ca: await readFile(tlsCa, 'utf8') }) }
}
