// One recording: what is known of it, where its time went, what may be done with it.

import { useEffect } from 'preact/hooks'
import type { RecordingView } from '../../../src/control/recordings/recording-contract.ts'
import { HelpLink } from '../components/help-link.tsx'
import { Icon } from '../components/icon.tsx'
import { Trouble } from '../components/trouble.tsx'
import { may } from '../data/abilities.ts'
import { clockTime, duration } from '../data/format.ts'
import { useResource } from '../data/resource.ts'
import { cue, play } from '../player/playing.ts'
import { linkTo } from '../router.ts'
import { Curation } from './curation.tsx'
import { type Fact, FactList } from './facts.tsx'
import { Badge } from './list.tsx'
import { Noticed } from './noticed.tsx'
import { EvidencePanel } from './proof.tsx'
import { Streams } from './streams.tsx'
import { Takes } from './takes.tsx'
import { AuditTrail, MetadataTrail } from './trails.tsx'
import { explainSilence, partiesOf, standing, uploadStanding } from './words.ts'

const REFRESH_MS = 5000

/** All about one recording; `atS` puts it into the player at that second. */
export function RecordingDetail({ recordingId, atS }: { recordingId: string; atS: number | undefined }) {
  const found = useResource<RecordingView>(`/api/recordings/${encodeURIComponent(recordingId)}`, REFRESH_MS)
  useEffect(() => {
    if (atS !== undefined) cue(recordingId, atS)
  }, [recordingId, atS])
  const recording = found.value
  return (
    <>
      <p>
        <a href={linkTo(['recordings'])}>All recordings</a>
      </p>
      <Trouble error={found.error} onRetry={found.reload} />
      {recording && (
        <>
          <Heading recording={recording} />
          <Takes
            recordingId={recording.recordingId}
            sessionIds={recording.sessionIds}
            isUnderWay={recording.state === 'receiving'}
          />
          <div class="panels">
            <Facts recording={recording} />
            <Curation recording={recording} onChange={found.reload} />
          </div>
          <Streams recording={recording} />
          <Noticed recording={recording} />
          <EvidencePanel recording={recording} />
          <MetadataTrail recording={recording} />
          <AuditTrail key={`${recording.isHeld} ${recording.tags.length}`} recording={recording} />
        </>
      )}
    </>
  )
}

function Heading({ recording }: { recording: RecordingView }) {
  const silence = explainSilence(recording)
  return (
    <>
      <div class="title-row">
        <h1>{partiesOf(recording)}</h1>
        <Badge is={standing(recording)} />
        <Badge is={uploadStanding(recording)} />
        {recording.isHeld && <Badge is={{ icon: 'hold', text: 'on hold', tone: 'plain' }} />}
        {recording.hasAudio && may('recordings:play') && (
          <button type="button" class="primary" onClick={() => play(recording.recordingId)}>
            <Icon name="play" /> Play
          </button>
        )}
      </div>
      {silence && (
        <div class="silence">
          <p>
            <strong>Nothing to hear.</strong> {silence.what}
          </p>
          <p>
            {silence.todo} {recording.cause === 'no-rtp' && <HelpLink topic="no-audio" />}
          </p>
        </div>
      )}
    </>
  )
}

function Facts({ recording }: { recording: RecordingView }) {
  const { sip, startedAt, endedAt, durationMs, sizeBytes, custom, participants } = recording
  const facts: readonly Fact[] = [
    ['Began', clockTime(startedAt)],
    ['Ended', endedAt && clockTime(endedAt)],
    ['Length', recording.state === 'receiving' ? undefined : duration(durationMs)],
    ...participants.map(({ name, aor }, at) => [`Party ${at + 1}`, [name, aor].filter(Boolean).join(' · ')] as const),
    ['Call Recording ID', recording.callRecordingId],
    ['Recording ID', recording.recordingId],
    ['Call-ID', recording.sipCallId],
    ['Session', recording.sessionIds.join(' ')],
    ['Group', recording.groupIds.join(' ')],
    ['From', sip?.fromUri],
    ['To', sip?.toUri],
    ['Client', sip && `${sip.source} over ${sip.transport}`],
    ['User agent', sip?.userAgent],
    ['Product', recording.vendor],
    ['Why it ended', sip?.ended],
    ['Metadata documents', String(recording.documents)],
    ['Kept as', recording.formats.join(', ')],
    [
      'Size',
      sizeBytes === undefined
        ? undefined
        : `${(sizeBytes / 1024).toLocaleString(undefined, { maximumFractionDigits: 0 })} KiB`,
    ],
    ...Object.entries(custom),
  ]
  return (
    <section class="card" aria-labelledby="facts-title">
      <h2 id="facts-title">Facts</h2>
      <FactList facts={facts} />
    </section>
  )
}
