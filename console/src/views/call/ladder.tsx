// The ladder: each message an arrow between the gateway and one of its peers, states and events between them.

import { useMemo, useState } from 'preact/hooks'
import type { TraceView } from '../../../../src/control/trace-contract.ts'
import { shortAddress } from '../../data/format.ts'
import { sipTextOf } from '../../data/sip-text.ts'
import { MessageDetail } from './message-detail.tsx'

type Entry = TraceView['entries'][number]
type Message = Extract<Entry, { type: 'sip' }>

/** A message with what is known of it and of the one before it. */
export interface LadderMessage {
  readonly message: Message
  readonly title: string
  readonly isError: boolean
  readonly sdp: string | undefined
  readonly metadata: string | undefined
  readonly sdpBefore: string | undefined
  readonly metadataBefore: string | undefined
}

interface Column {
  readonly dialog: string
  readonly name: string
  readonly remote: string
}

const kinds: Readonly<Record<TraceView['dialogs'][number]['kind'], string>> = {
  caller: 'Caller',
  callee: 'Callee',
  recorder: 'Recorder',
  other: 'Peer',
}

/** The columns: callers, then the gateway (undefined), then whom it called and its recorders. */
function columnsOf({ dialogs }: TraceView): readonly (Column | undefined)[] {
  const named = dialogs.map(({ sipCallId, kind, remote, recorder }) => ({
    kind,
    column: {
      dialog: sipCallId,
      name: recorder === undefined ? kinds[kind] : `Recorder ${shortAddress(recorder)}`,
      remote,
    },
  }))
  const isLeft = ({ kind }: { kind: string }): boolean => kind === 'caller'
  const order = ['callee', 'recorder', 'other']
  const right = named.filter((one) => !isLeft(one)).sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))
  return [...named.filter(isLeft).map(({ column }) => column), undefined, ...right.map(({ column }) => column)]
}

function messagesOf(entries: readonly Entry[]): ReadonlyMap<Entry, LadderMessage> {
  const latest = new Map<string, string>()
  const messages = new Map<Entry, LadderMessage>()
  for (const entry of entries) {
    if (entry.type !== 'sip') continue
    const { title, isError, sdp, metadata } = sipTextOf(entry.text)
    const key = `${entry.dialog} ${entry.direction}`
    messages.set(entry, {
      message: entry,
      title,
      isError,
      sdp,
      metadata,
      sdpBefore: latest.get(`${key} sdp`),
      metadataBefore: latest.get(`${key} metadata`),
    })
    if (sdp !== undefined) latest.set(`${key} sdp`, sdp)
    if (metadata !== undefined) latest.set(`${key} metadata`, metadata)
  }
  return messages
}

/** The ladder of a trace. */
export function Ladder({ trace }: { trace: TraceView }) {
  const [opened, setOpened] = useState<number>()
  const [hasStates, setStates] = useState(true)
  const columns = useMemo(() => columnsOf(trace), [trace])
  const messages = useMemo(() => messagesOf(trace.entries), [trace])
  const beganMs = Date.parse(trace.entries[0]?.at ?? trace.call.startedAt)
  const rows = trace.entries
    .map((entry, index) => ({ entry, index }))
    .filter(({ entry }) => entry.type === 'sip' || hasStates)
  return (
    <section aria-labelledby="ladder-title">
      <div class="section-head">
        <h2 id="ladder-title">SIP ladder</h2>
        <label class="check">
          <input type="checkbox" checked={hasStates} onChange={(event) => setStates(event.currentTarget.checked)} />
          States and events
        </label>
      </div>
      {trace.leftOut > 0 && <p class="muted">{trace.leftOut} entries of the middle were left out.</p>}
      <div class="ladder" style={{ '--columns': columns.length }}>
        <div class="ladder-head" aria-hidden="true">
          {columns.map((column) => (
            <div key={column?.dialog ?? 'gateway'}>
              <strong>{column?.name ?? 'Gateway'}</strong>
              <span class="muted">{column?.remote ?? 'this program'}</span>
            </div>
          ))}
        </div>
        <ol class="ladder-rows" aria-label="Messages, states and events in order">
          {rows.map(({ entry, index }) => {
            const known = messages.get(entry)
            const afterMs = Date.parse(entry.at) - beganMs
            return (
              <li key={index}>
                {known === undefined ? (
                  <p class="ladder-note">
                    <Elapsed ms={afterMs} /> {noteOf(entry, columns)}
                  </p>
                ) : (
                  <Arrow
                    known={known}
                    columns={columns}
                    afterMs={afterMs}
                    isOpen={opened === index}
                    onToggle={() => setOpened(opened === index ? undefined : index)}
                  />
                )}
                {known !== undefined && opened === index && <MessageDetail known={known} />}
              </li>
            )
          })}
        </ol>
      </div>
    </section>
  )
}

function Elapsed({ ms }: { ms: number }) {
  return <span class="elapsed">{(ms / 1000).toFixed(3)} s</span>
}

function Arrow({
  known,
  columns,
  afterMs,
  isOpen,
  onToggle,
}: {
  known: LadderMessage
  columns: readonly (Column | undefined)[]
  afterMs: number
  isOpen: boolean
  onToggle: () => void
}) {
  const { message, title, isError, sdp, metadata } = known
  const gateway = columns.indexOf(undefined)
  const peer = columns.findIndex((column) => column?.dialog === message.dialog)
  const peerName = columns[peer]?.name ?? 'a peer'
  const isSent = message.direction === 'sent'
  const [from, to] = isSent ? [gateway, peer] : [peer, gateway]
  const [left, right] = from < to ? [from, to] : [to, from]
  const words = isSent ? `from the gateway to ${peerName}` : `from ${peerName} to the gateway`
  const parts = [sdp === undefined ? undefined : 'SDP', metadata === undefined ? undefined : 'metadata'].filter(Boolean)
  return (
    <button type="button" class="ladder-row" aria-expanded={isOpen} onClick={onToggle}>
      <Elapsed ms={afterMs} />{' '}
      <span class="arrow" data-way={from < to ? 'right' : 'left'} data-error={isError} style={spanOf(left, right)}>
        <span class="arrow-text">
          {title}
          {parts.length > 0 && <span class="muted"> + {parts.join(', ')}</span>}
        </span>
      </span>
      <span class="hidden"> {words}</span>
    </button>
  )
}

function spanOf(left: number, right: number) {
  return { '--from': left, '--span': right - left }
}

function noteOf(entry: Entry, columns: readonly (Column | undefined)[]): string {
  if (entry.type === 'state') {
    const name = columns.find((column) => column?.dialog === entry.id)?.name
    return `${entry.machine}${name === undefined ? '' : ` with ${name}`}: ${entry.from} → ${entry.to}`
  }
  if (entry.type !== 'event') return ''
  if (entry.text !== undefined) return `${entry.event}: ${entry.text}`
  return entry.recorder === undefined ? entry.event : `${entry.event} at ${shortAddress(entry.recorder)}`
}
