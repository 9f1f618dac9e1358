/** The screens, in the order of the rail: the page's addresses, the menu's entries and both's accelerators follow it. */
export const screens = [
  'overview',
  'log',
  'messages',
  'views',
  'checkpoints',
  'requests',
  'faults',
  'scenarios',
  'runs',
  'replay',
  'evidence',
  'settings',
] as const
export type Screen = (typeof screens)[number]

/**
 * The key of a screen: alone in the page, with Ctrl or Cmd in the menu. The digits in the order of the rail, and the comma that settings have
 * elsewhere; null: there are more screens than digits.
 */
export const screenKey = (screen: Screen): string | null => {
  if (screen === 'settings') return ','
  return screen === 'evidence' ? null : String((screens.indexOf(screen) + 1) % 10)
}

export const locales = ['en', 'zh-CN'] as const
/** A language that the panel speaks. */
export type Locale = (typeof locales)[number]
