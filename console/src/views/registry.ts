// The views by the first segment of the address; those with a title stand in the navigation.

import type { ComponentType } from 'preact'
import type { Scope } from '../../../src/control/access/scopes.ts'
import { RecordingsView } from '../recordings/view.tsx'
import { AuditView } from './audit.tsx'
import { CallDetailView } from './call.tsx'
import { FirstView } from './first.tsx'
import { FlowsView } from './flows.tsx'
import { HelpView } from './help.tsx'
import { LiveView } from './live.tsx'
import { RecordersView } from './recorders.tsx'
import { SetUpView } from './set-up.tsx'

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
  /** Paths of the API; the page is shown where the program has one of them. */
  readonly offered?: readonly string[]
  /** What the reader has to be allowed. */
  readonly scope?: Scope
  readonly View: ComponentType<ViewProps>
}

/** In the order of the navigation. */
export const views: readonly View[] = [
  { name: 'live', title: 'Live', offered: ['/api/calls'], scope: 'calls:read', View: LiveView },
  { name: 'calls', title: 'Calls', offered: ['/api/calls'], scope: 'calls:read', View: CallDetailView },
  {
    name: 'recordings',
    title: 'Recordings',
    offered: ['/api/recordings'],
    scope: 'recordings:read',
    View: RecordingsView,
  },
  {
    name: 'recorders',
    title: 'Recorders',
    offered: ['/api/recorders', '/api/refusals'],
    scope: 'recorders:read',
    View: RecordersView,
  },
  { name: 'set-up', title: 'Set-up', offered: ['/api/set-up'], scope: 'recorders:read', View: SetUpView },
  { name: 'flows', title: 'Flows', offered: ['/api/flows'], scope: 'flows:read', View: FlowsView },
  { name: 'audit', title: 'Audit', offered: ['/api/audit'], scope: 'audit:read', View: AuditView },
  { name: 'help', title: 'Help', View: HelpView },
  { name: 'first', offered: ['/api/test-calls'], scope: 'calls:control', View: FirstView },
]
