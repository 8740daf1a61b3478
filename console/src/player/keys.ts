// Keys of the player; fields and buttons keep theirs.

import { sound, speeds } from './sound.ts'

const STEP_S = 10
/** Length of a loop whose end was not chosen yet. */
const FIRST_LOOP_S = 5

/** What each key does. */
export const keyHelp: readonly (readonly [string, string])[] = [
  ['k or Space', 'play or pause'],
  ['j or ←', '10 seconds back'],
  ['l or →', '10 seconds forward'],
  ['Home, End', 'to the beginning, to the end'],
  ['< and >', 'slower, faster'],
  ['1 to 9', 'silence a speaker, or hear them again'],
  ['Shift + 1 to 9', 'hear one speaker alone, or all again'],
  ['[ and ]', 'begin and end of the part that is looped'],
  ['\\', 'end the loop'],
  ['?', 'this list'],
]

const keys: Readonly<Record<string, () => void>> = {
  k: () => sound.toggle(),
  ' ': () => sound.toggle(),
  j: () => sound.seek(sound.atS.value - STEP_S),
  ArrowLeft: () => sound.seek(sound.atS.value - STEP_S),
  l: () => sound.seek(sound.atS.value + STEP_S),
  ArrowRight: () => sound.seek(sound.atS.value + STEP_S),
  Home: () => sound.seek(0),
  End: () => sound.seek(sound.durationS.value),
  '<': () => changeSpeed(-1),
  '>': () => changeSpeed(1),
  '[': () => setLoop(sound.atS.value, sound.loop.value?.[1]),
  ']': () => setLoop(sound.loop.value?.[0] ?? Math.max(0, sound.atS.value - FIRST_LOOP_S), sound.atS.value),
  '\\': () => {
    sound.loop.value = undefined
  },
}

/** Listens until the returned function is called; `showHelp` opens the list of keys. */
export function listenToKeys(showHelp: () => void): () => void {
  const listen = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTaken(event)) return
    const lane = /^Digit([1-9])$/.exec(event.code)?.[1]
    if (event.key === '?') showHelp()
    else if (lane !== undefined && event.shiftKey) sound.toggleSolo(Number(lane) - 1)
    else if (lane !== undefined) sound.toggleMute(Number(lane) - 1)
    else if (keys[event.key] !== undefined) keys[event.key]?.()
    else return
    event.preventDefault()
  }
  document.addEventListener('keydown', listen)
  return () => document.removeEventListener('keydown', listen)
}

/** Whether the element in focus needs the key itself. */
function isTaken({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement) || document.querySelector('dialog[open]') !== null) return true
  if (target.closest('input, select, textarea, [contenteditable]') !== null) return true
  return key === ' ' && target.closest('button, a, summary') !== null
}

function changeSpeed(steps: number): void {
  const at = speeds.indexOf(sound.speed.value)
  sound.setSpeed(speeds[at + steps] ?? sound.speed.value)
}

function setLoop(from: number, to = Math.min(sound.durationS.value, from + FIRST_LOOP_S)): void {
  if (to > from) sound.loop.value = [from, to]
}
