// The views by the first segment of the address; those with a title stand in the navigation.

import type { ComponentType } from 'preact'
import { RecordingsView } from '../recordings/view.tsx'
import { LiveView } from './live.tsx'

/** What a view is given. */
export interface ViewProps {
  /** Segments behind the view's own. */
  readonly path: readonly string[]
  readonly query: URLSearchParams
}

/** A page of the console. */
export interface View {
  readonly name: string
  readonly title?: string
  readonly View: ComponentType<ViewProps>
}

/** In the order of the navigation. */
export const views: readonly View[] = [
  { name: 'live', title: 'Live', View: LiveView },
  { name: 'recordings', title: 'Recordings', View: RecordingsView },
]
