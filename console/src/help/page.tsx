// The pages of docs that help where something is wrong, as cards; the text comes with the program.

import { useEffect } from 'preact/hooks'
import recorderAlarms from '../../../docs/recorder-alarms.md?raw'
import troubleshooting from '../../../docs/troubleshooting.md?raw'
import { linkTo } from '../router.ts'
import { type Block, readPage, type Span, type Topic } from './markdown.ts'
import '../style/help.css'

const pages: readonly (readonly Block[])[] = [troubleshooting, recorderAlarms].map(readPage)

/** All of it, at one topic if one is named. */
export default function HelpPage({ topic }: { topic: string | undefined }) {
  useEffect(() => {
    const place = topic === undefined ? null : document.getElementById(`help-${topic}`)
    place?.scrollIntoView({ block: 'start' })
    place?.focus({ preventScroll: true })
  }, [topic])
  return (
    <>
      {pages.flat().map((block, at) => (
        <Part key={at} block={block} chosen={topic} />
      ))}
    </>
  )
}

function Part({ block, chosen }: { block: Block; chosen: string | undefined }) {
  if (block.kind === 'topics') {
    return (
      <>
        {block.topics.map((topic) => (
          <TopicCard key={topic.id} topic={topic} level={block.level} isChosen={topic.id === chosen} />
        ))}
      </>
    )
  }
  if (block.kind === 'code') {
    return (
      <pre class="typed">
        <code>{block.text}</code>
      </pre>
    )
  }
  const content = <Line spans={block.spans} />
  if (block.kind === 'paragraph') return <p>{content}</p>
  return block.level === 1 ? <h2>{content}</h2> : <h3>{content}</h3>
}

interface TopicProps {
  readonly topic: Topic
  /** Of the heading above. */
  readonly level: number
  readonly isChosen: boolean
}

function TopicCard({ topic: { id, title, facts }, level, isChosen }: TopicProps) {
  const Title = level === 1 ? 'h3' : 'h4'
  return (
    <article class="card topic" id={`help-${id}`} tabIndex={-1} data-chosen={isChosen} aria-labelledby={`title-${id}`}>
      <Title id={`title-${id}`}>
        <Line spans={title} />
      </Title>
      <dl>
        {facts.map(({ name, spans }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <Line spans={spans} />
            </dd>
          </div>
        ))}
      </dl>
    </article>
  )
}

/** Where other files of docs are on this page; of those that are not here only the words are. */
const places: Readonly<Record<string, string>> = { 'recorder-alarms.md': 'no-packets' }

function Line({ spans }: { spans: readonly Span[] }) {
  return <>{spans.map(piece)}</>
}

function piece({ kind, text, target = '' }: Span, at: number) {
  const place = places[target]
  if (kind === 'code') return <code key={`${at} ${text}`}>{text}</code>
  if (place === undefined) return text
  return (
    <a key={`${at} ${text}`} href={linkTo(['help', place])}>
      {text}
    </a>
  )
}
