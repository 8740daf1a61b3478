// Light, dark, or as the system has it; remembered in this browser.

import { effect, signal } from '@preact/signals'

/** What the reader chose. */
export type Theme = 'system' | 'light' | 'dark'

const themes: readonly Theme[] = ['system', 'light', 'dark']
const key = 'theme'

function remembered(): Theme {
  try {
    return themes.find((theme) => theme === localStorage.getItem(key)) ?? 'system'
  } catch {
    return 'system'
  }
}

/** The theme in force. */
export const theme = signal<Theme>(remembered())

effect(() => {
  if (theme.value === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme.value
  try {
    localStorage.setItem(key, theme.value)
  } catch {
    // A browser that keeps nothing shows the system's theme next time.
  }
})

/** Goes on to the next of system, light, dark. */
export function nextTheme(): void {
  theme.value = themes[(themes.indexOf(theme.value) + 1) % themes.length] ?? 'system'
}
