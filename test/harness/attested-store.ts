// A store with recordings of every kind of file, attested, for tests that tamper with it.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import {
  createDeriver,
  NO_TOTALS,
  Notary,
  type RecordingFacts,
  RecordingFolder,
  readPublicKeys,
  type Verification,
  verifyEvidence,
} from '#store'
import { testDisk } from './test-disk.ts'

const DAY_MS = 86_400_000
const STARTED_MS = Date.UTC(2026, 2, 1, 12)
const SECOND = 8000

/** Facts of a recording of which little is known. */
export const littleKnown: RecordingFacts = {
  sip: { callId: 'c', fromUri: 'sip:a@b', toUri: 'sip:c@d', requestUri: 'sip:c@d', source: 'x', transport: 'udp' },
  participants: [],
  sessionIds: [],
  groupIds: [],
  metadataInvalid: false,
  speakers: [['Alice'], ['Bob']],
  speakersInferred: false,
  warnings: [],
}

/** A store and its notary, on a clock that the test sets. */
export class AttestedStore {
  readonly root: string
  readonly keyFile: string
  readonly notary: Notary
  readonly #clock: { wallMs: number }

  private constructor(root: string, keyFile: string, notary: Notary, clock: { wallMs: number }) {
    this.root = root
    this.keyFile = keyFile
    this.notary = notary
    this.#clock = clock
  }

  static async open(t: TestContext): Promise<AttestedStore> {
    const folder = mkdtempSync(join(tmpdir(), 'evidence-'))
    const clock = { wallMs: STARTED_MS }
    const [root, keyFile] = [join(folder, 'recordings'), join(folder, 'key.pem')]
    const notary = await Notary.open({ root, keyFile }, () => clock.wallMs)
    t.after(() => {
      notary.close()
      rmSync(folder, { recursive: true })
    })
    return new AttestedStore(root, keyFile, notary, clock)
  }

  get publicKeyFile(): string {
    return `${this.keyFile}.pub`
  }

  /** Goes on to the next day. */
  nextDay(): void {
    this.#clock.wallMs += DAY_MS
  }

  /** A recording that is not published: G.711 with a gap on one channel, Opus on the other, and two metadata documents. */
  begin(recordingId: string): RecordingFolder {
    const folder = new RecordingFolder(testDisk(), this.root, recordingId, this.#clock.wallMs, littleKnown)
    const spoken = folder.addStream('1')
    spoken.startWavRun({ encoding: 'PCMU/8000', clockRateHz: SECOND }, 'pcmu', 0).append(new Uint8Array(SECOND).fill(7))
    spoken.addGap({ fromMs: 400, toMs: 600, cause: 'paused-here' })
    const record = { payloadType: 96, marker: false, sequence: 1, timestamp: 0, ssrc: 1, arrivalMs: 0, position: 0 }
    const raw = folder.addStream('2').startRawRun({ encoding: 'X-UNKNOWN/8000', clockRateHz: SECOND }, 0)
    raw.append({ ...record, payload: new Uint8Array(300).fill(9) })
    for (const number of [1, 2]) {
      const document = { receivedAt: 'x', transaction: `UPDATE ${number}`, warnings: [], state: { number } }
      folder.addMetadata({ ...document, raw: Buffer.from(`<recording n="${number}"/>`) })
    }
    return folder
  }

  /** A recording, published; gives its folder. */
  async publish(recordingId: string, attest = (path: string) => this.notary.attest(path)): Promise<string> {
    const closing = { endedAtMs: this.#clock.wallMs + 1000, durationMs: 1000, totals: [NO_TOTALS, NO_TOTALS] }
    const derive = await createDeriver({ archive: 'flac' })
    const begun = this.begin(recordingId)
    return (await begun.publish({ ...closing, noAudioCause: 'no-rtp' }, derive, attest)).folder
  }

  async verify(path: string = this.root, head?: string): Promise<Verification> {
    return await verifyEvidence({
      path,
      keys: readPublicKeys([this.publicKeyFile]),
      ...(head !== undefined && { head }),
    })
  }

  /** Findings as `code where`. */
  async findings(path?: string, head?: string): Promise<string[]> {
    return (await this.verify(path, head)).findings.map(({ code, where }) => `${code} ${where}`)
  }
}
