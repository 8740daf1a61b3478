import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '#call'
import { ok, silentLogger } from '#kernel'
import { Command, type RecordingBench, withBench } from '../../test/harness/recording-bench.ts'
import type { TestRecorder } from '../../test/harness/test-recorder.ts'
import { CommandReports } from './command-reports.ts'
import type { PromptLibrary } from './prompt-library.ts'
import { Notices, RecordingCommands } from './recording-commands.ts'

const AUDIO = { pcmu: new Uint8Array(160), pcma: new Uint8Array(160) }
type Heard = 'finished' | 'stopped'

/** One call, its commands, and a notice that ends when the test says so. */
class NoticeBench {
  readonly bench: RecordingBench
  readonly recorder: TestRecorder
  readonly call: Call
  readonly commands: RecordingCommands
  readonly #playing: ((end: Heard) => void)[] = []

  constructor(bench: RecordingBench) {
    this.bench = bench
    this.recorder = bench.recorder()
    // What is played in the place of something else ends that.
    const play = (): Promise<Heard> => {
      this.endNotice('stopped')
      return new Promise((resolve) => void this.#playing.push(resolve))
    }
    this.call = Object.assign(bench.call, { play, ended: false }) as unknown as Call
    this.commands = new RecordingCommands({
      client: () => bench.client,
      notices: new Notices(),
      prompts: { load: async () => ok(AUDIO) } as unknown as PromptLibrary,
      reports: new CommandReports(bench.clock),
      log: silentLogger,
      notice: 'notice.wav',
      honoursPreferences: true,
      unmetPrompt: undefined,
    })
  }

  command(activity: 'start' | 'stop' | 'pause' | 'resume', more = {}): Command {
    const command = { activity, server: this.recorder.uri, recordingId: '', ...more } as const
    return new Command(this.commands.execute(this.call, command, { origin: 'info' }))
  }

  endNotice(end: Heard = 'finished'): void {
    for (const settle of this.#playing.splice(0)) settle(end)
  }
}

function noticed(name: string, run: (notice: NoticeBench) => Promise<void>): void {
  test(name, () => withBench((bench) => run(new NoticeBench(bench))))
}

noticed('nothing is recorded before the notice was heard, and everything after it', async (n) => {
  n.command('start')
  await n.bench.pass()
  assert.equal(await n.bench.audio(5), 0)
  n.endNotice()
  await n.bench.pass()
  assert.equal(await n.bench.audio(5), 10)
})

noticed('a pause that is commanded while the notice is heard outlasts it', async (n) => {
  n.command('start')
  await n.bench.pass()
  const pause = n.command('pause')
  await n.bench.pass()
  assert.equal(pause.status, 200)
  n.endNotice()
  await n.bench.pass()
  assert.equal(await n.bench.audio(5), 0)
  const resume = n.command('resume')
  await n.bench.pass()
  assert.equal(resume.status, 200)
  assert.equal(await n.bench.audio(5), 10)
})

noticed('a resumption that is commanded while the notice is heard waits for its end', async (n) => {
  n.command('start')
  await n.bench.pass()
  n.command('pause')
  await n.bench.pass()
  const resume = n.command('resume')
  await n.bench.pass()
  assert.equal(await n.bench.audio(5), 0)
  assert.equal(resume.status, 'pending')
  n.endNotice()
  await n.bench.pass()
  assert.equal(resume.status, 200)
  assert.equal(await n.bench.audio(5), 10)
})

noticed('a pause with a deadline ends no sooner than the notice', async (n) => {
  n.command('start')
  await n.bench.pass()
  n.command('pause', { limit: { maxSeconds: 2, next: 'resume' } })
  await n.bench.pass(5_000)
  assert.equal(await n.bench.audio(5), 0)
  n.endNotice()
  await n.bench.pass(2_500)
  assert.equal(await n.bench.audio(5), 10)
})

noticed(
  'a recording that is stopped and started again while the notice is heard begins with the next notice',
  async (n) => {
    n.command('start')
    await n.bench.pass()
    n.command('stop')
    await n.bench.pass(3_000)
    n.command('start')
    await n.bench.pass()
    assert.notEqual(n.bench.state, 'none')
    assert.equal(await n.bench.audio(5), 0)
    n.endNotice()
    await n.bench.pass()
    assert.equal(await n.bench.audio(5), 10)
  },
)

noticed('a recording whose notice cannot be heard is stopped', async (n) => {
  n.command('start')
  await n.bench.pass()
  n.endNotice('stopped')
  await n.bench.pass(3_000)
  assert.equal(n.bench.state, 'none')
})

noticed('a party that wants to be recorded ends no pause but its own', async (n) => {
  n.command('start')
  await n.bench.pass()
  void n.bench.client.resume(n.call, 'party')
  await n.bench.pass()
  assert.equal(await n.bench.audio(5), 0, 'the notice was not heard')
  n.endNotice()
  await n.bench.pass()
  n.command('pause')
  await n.bench.pass()
  for (const wish of ['pause', 'resume'] as const) {
    if (wish === 'pause') void n.bench.client.pause(n.call, { origin: 'party' })
    else void n.bench.client.resume(n.call, 'party')
    await n.bench.pass()
    assert.equal(await n.bench.audio(5), 0, 'a pause that was commanded lasts')
  }
  const resume = n.command('resume')
  await n.bench.pass()
  assert.equal(resume.status, 200)
  void n.bench.client.pause(n.call, { origin: 'party' })
  await n.bench.pass()
  assert.equal(await n.bench.audio(5), 0)
  void n.bench.client.resume(n.call, 'party')
  await n.bench.pass()
  assert.equal(await n.bench.audio(5), 10)
})
