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
