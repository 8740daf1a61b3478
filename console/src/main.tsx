// Start of the console.

import { render } from 'preact'
import { App } from './app.tsx'
import './style/tokens.css'
import './style/base.css'
import './style/shell.css'
import './style/parts.css'
import './style/live.css'
import './style/ops.css'
import './style/flows.css'
import './style/recordings.css'

const place = document.getElementById('console')
if (place !== null) render(<App />, place)
