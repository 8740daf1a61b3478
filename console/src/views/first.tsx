// The first five minutes: a test call, watched live, paused and resumed, and heard.

import { linkTo } from '../router.ts'
import { TestCallPanel } from './set-up/test-call.tsx'

/** The page that a program without recordings begins with. */
export function FirstView() {
  return (
    <>
      <h1>Your first recorded call</h1>
      <p>
        Nothing was recorded here yet. Place a test call: a caller and a callee inside this program talk through the
        gateway, and you see with your own eyes that it records. It takes two minutes, and needs no phone.
      </p>
      <TestCallPanel isGuided />
      <p class="muted">
        Then <a href={linkTo(['set-up'])}>point your SBC here</a>.
      </p>
    </>
  )
}
