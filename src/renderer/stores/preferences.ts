/** What the panel remembers on this machine: theme, language, layout. Kept in local storage; anything odd in there is ignored. */
import { useMediaQuery, usePreferredLanguages } from '@vueuse/core'
import { defineStore } from 'pinia'
import { computed, reactive, watch } from 'vue'
import { setLocale, type Locale } from '../i18n/index.ts'

export type ThemeChoice = 'system' | 'light' | 'dark'
export type LanguageChoice = 'system' | Locale

interface Preferences {
  theme: ThemeChoice
  language: LanguageChoice
  railCollapsed: boolean
  utc: boolean
  /** The desktop is told of what needs attention. */
  notify: boolean
  /** Its path and query. */
  lastScreen: string
}

const storageKey = 'pbft-panel.preferences'
const defaults: Preferences = {
  theme: 'system',
  language: 'system',
  railCollapsed: false,
  utc: false,
  notify: true,
  lastScreen: '/overview',
}

function load(): Preferences {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(storageKey) ?? '{}')
    const read = (typeof stored === 'object' && stored !== null ? stored : {}) as Partial<Record<keyof Preferences, unknown>>
    return {
      theme: read.theme === 'light' || read.theme === 'dark' ? read.theme : 'system',
      language: read.language === 'en' || read.language === 'zh-CN' ? read.language : 'system',
      railCollapsed: read.railCollapsed === true,
      utc: read.utc === true,
      notify: read.notify !== false,
      lastScreen:
        typeof read.lastScreen === 'string' && /^\/[a-z]+(\?[^#]{0,1000})?$/.test(read.lastScreen) ? read.lastScreen : defaults.lastScreen,
    }
  } catch {
    return { ...defaults }
  }
}

export const usePreferences = defineStore('preferences', () => {
  const chosen = reactive(load())
  const prefersDark = useMediaQuery('(prefers-color-scheme: dark)')
  const languages = usePreferredLanguages()

  const theme = computed<'light' | 'dark'>(() => (chosen.theme === 'system' ? (prefersDark.value ? 'dark' : 'light') : chosen.theme))
  const locale = computed<Locale>(() => {
    if (chosen.language !== 'system') return chosen.language
    return languages.value[0]?.toLowerCase().startsWith('zh') === true ? 'zh-CN' : 'en'
  })

  watch(theme, (value) => (document.documentElement.dataset['theme'] = value), { immediate: true })
  watch(locale, setLocale, { immediate: true })
  watch(chosen, (value) => localStorage.setItem(storageKey, JSON.stringify(value)))

  return { chosen, theme, locale }
})
