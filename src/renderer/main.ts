/** Where the page begins: finds its shell (Electron's preload or the server's WebSocket), then mounts the panel. */
import './styles/fonts.css'
import './styles/tokens.css'
import './styles/base.css'
import './styles/parts.css'
import { createPinia } from 'pinia'
import { createApp, type App as VueApp } from 'vue'
import App from './App.vue'
import { i18n } from './i18n/index.ts'
import { screens } from '../contract/screens.ts'
import { createPanelRouter, warmScreens } from './router.ts'
import TokenScreen from './screens/TokenScreen.vue'
import { dropToken, keepToken, splitFragment, takeToken } from './shell/browser-token.ts'
import { connectBrowser, setShell } from './shell/current-shell.ts'
import { usePlaces } from './stores/places.ts'
import { usePreferences } from './stores/preferences.ts'

let mounted: VueApp | null = null

function replaceApp(next: VueApp): void {
  mounted?.unmount()
  mounted = next
}

function mountPanel(): void {
  const app = createApp(App)
  replaceApp(app)
  app.use(createPinia()).use(i18n)
  const preferences = usePreferences()
  const router = createPanelRouter(() => preferences.chosen.lastScreen)
  const places = usePlaces()
  router.afterEach((to) => {
    preferences.chosen.lastScreen = to.fullPath
    const screen = screens.find((name) => name === to.name)
    if (screen !== undefined) places.leave(screen, to.query)
  })
  app.use(router)
  app.mount('#app')
  void router.isReady().then(warmScreens)
}

function mountTokenScreen(refused: boolean): void {
  const onToken = (token: string): void => {
    keepToken(token)
    start(token)
  }
  const app = createApp(TokenScreen, { refused, onToken })
  replaceApp(app)
  app.use(createPinia()).use(i18n)
  usePreferences()
  app.mount('#app')
}

function start(token: string): void {
  setShell(
    connectBrowser(token, () => {
      dropToken()
      mountTokenScreen(true)
    }),
  )
  mountPanel()
}

if (window.panelShell !== undefined) {
  setShell(window.panelShell)
  mountPanel()
} else {
  const token = takeToken()
  if (token === null) mountTokenScreen(false)
  else start(token)
  // A second printed address, opened in this tab, changes the fragment only.
  addEventListener('hashchange', () => {
    if (splitFragment(location.hash).token === null) return
    takeToken()
    location.reload()
  })
}
