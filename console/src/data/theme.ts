// Light, dark, or as the system has it; remembered in this browser.

import { computed, effect, signal } from '@preact/signals'

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

const dark = matchMedia('(prefers-color-scheme: dark)')
const isSystemDark = signal(dark.matches)
dark.addEventListener('change', () => {
  isSystemDark.value = dark.matches
})

/** Whether dark is shown, for what is painted and not styled. */
export const isDark = computed(() => (theme.value === 'system' ? isSystemDark.value : theme.value === 'dark'))

/** Goes on to the next of system, light, dark. */
export function nextTheme(): void {
  theme.value = themes[(themes.indexOf(theme.value) + 1) % themes.length] ?? 'system'
}
