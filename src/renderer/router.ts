/** One address per screen, in the fragment, so that the same page works from any origin. Filters and selections are in its query. */
import { createRouter, createWebHashHistory, type RouteRecordRaw } from 'vue-router'
import { screens, type Screen } from '../contract/screens.ts'

const components = {
  overview: () => import('./screens/OverviewScreen.vue'),
  log: () => import('./screens/LogScreen.vue'),
  messages: () => import('./screens/MessagesScreen.vue'),
  views: () => import('./screens/ViewsScreen.vue'),
  checkpoints: () => import('./screens/CheckpointsScreen.vue'),
  requests: () => import('./screens/RequestsScreen.vue'),
  faults: () => import('./screens/FaultsScreen.vue'),
  scenarios: () => import('./screens/ScenariosScreen.vue'),
  runs: () => import('./screens/RunsScreen.vue'),
  replay: () => import('./screens/ReplayScreen.vue'),
  evidence: () => import('./screens/EvidenceScreen.vue'),
  settings: () => import('./screens/SettingsScreen.vue'),
} as const satisfies Record<Screen, RouteRecordRaw['component']>

/** `start` is where an address without a screen leads. */
export function createPanelRouter(start: () => string) {
  return createRouter({
    history: createWebHashHistory(),
    routes: [
      ...screens.map((screen): RouteRecordRaw => ({ path: `/${screen}`, name: screen, component: components[screen] })),
      { path: '/:other(.*)*', redirect: () => start() },
    ],
  })
}

/**
 * Fetches and compiles every screen's script while the page has nothing else to do, one at a time: a screen's first opening then costs what
 * its later ones do (the overview's charts alone are a tenth of a second).
 */
export async function warmScreens(): Promise<void> {
  for (const screen of screens) {
    await new Promise<void>((resolve) => requestIdleCallback(() => resolve()))
    // One that cannot be fetched now is fetched when it is opened, which says so.
    await components[screen]().catch(() => undefined)
  }
}
