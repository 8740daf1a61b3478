// Small line drawings; each stands beside a word or in a button that has a name.

const paths = {
  play: 'M7 4.5v15l12-7.5z',
  pause: 'M7 5v14M17 5v14',
  back: 'M11 6 5 12l6 6M19 6l-6 6 6 6',
  forward: 'M13 6l6 6-6 6M5 6l6 6-6 6',
  recorded: 'M5 12.5 10 17.5 19.5 7',
  receiving: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z',
  'not-recorded': 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM6.5 6.5l11 11',
  'no-audio': 'M4 10v4h3.5L12 18V6L7.5 10zM16 10l4 4M20 10l-4 4',
  'not-uploaded': 'M7 18a4 4 0 0 1-.5-8A6 6 0 0 1 18 9.6 4 4 0 0 1 18 18M12 11v5M12 19.5v.2',
  uploaded: 'M7 18a4 4 0 0 1-.5-8A6 6 0 0 1 18 9.6 4 4 0 0 1 18 18M9 14l2.5 2.5L16 12',
  uploading: 'M7 18a4 4 0 0 1-.5-8A6 6 0 0 1 18 9.6 4 4 0 0 1 18 18M12 19v-7M9.5 14 12 11.500 14.500 14',
  hold: 'M7 11V8a5 5 0 0 1 10 0v3M5.500 11h13v9h-13z',
  deleted: 'M5 7h14M10 4h4M7 7l1 13h8l1-13',
  close: 'M6 6l12 12M18 6 6 18',
} as const

/** Name of a drawing. */
export type IconName = keyof typeof paths

/** Draws it in the colour of the text; hidden from screen readers. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" data-icon={name}>
      <path d={paths[name]} />
    </svg>
  )
}
