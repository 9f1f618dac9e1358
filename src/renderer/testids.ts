/** The hooks that end-to-end tests hold on to (`data-testid`). They are promises: renaming one breaks tests in other rooms. */
export const testIds = {
  /** Present once the host has answered and the first screen is drawn. */
  appReady: 'app-ready',
  /** Carries `data-state`, the verdict's state. */
  verdict: 'verdict',
  view: 'view',
  primary: 'primary',
  healAll: 'heal-all',
  createCluster: 'create-cluster',
  createClusterName: 'create-cluster-name',
  createClusterReplicas: 'create-cluster-replicas',
  createClusterSubmit: 'create-cluster-submit',
  openCluster: 'open-cluster',
  closeCluster: 'close-cluster',
  requestType: 'request-type',
  requestKey: 'request-key',
  requestValue: 'request-value',
  requestSubmit: 'request-submit',
  requestResult: 'request-result',
  /** Carries `data-seq`. */
  logRow: 'log-row',
  logDetail: 'log-detail',
  logFilter: 'log-filter',
  language: 'language',
  theme: 'theme',
  /** What the host is doing while a cluster opens or closes; carries `data-phase`. */
  hostStage: 'host-stage',
  connectionLost: 'connection-lost',
  /** Carries `data-state` and `data-holds`. */
  scenarioRun: 'scenario-run',
  scenarioNext: 'scenario-next',
  scenarioStop: 'scenario-stop',
  /** Carries `data-phase`, the present step's. */
  presenter: 'presenter',
  presenterNext: 'presenter-next',
  runs: 'runs',
  /** Carries `data-run` and `data-verdict`. */
  runRow: 'run-row',
  /** Takes a run's file. */
  runFile: 'run-file',
  /** Carries `data-seq`, the first that differs. */
  runComparison: 'run-comparison',
  /** What is shown is a recorded run. */
  recordedRun: 'recorded-run',
  openSampleRun: 'open-sample-run',
  tokenField: 'token-field',
  tokenSubmit: 'token-submit',
} as const

/** A rail entry: overview, log, messages, views, checkpoints, requests, faults, scenarios, runs, settings. */
export const navTestId = (screen: string): string => `nav-${screen}`
/** A replica's card; carries `data-state`. */
export const replicaCardTestId = (id: number): string => `replica-card-${id}`
/** A button or menu entry on a replica's card: isolate, heal, kill, restart, start, stop, pause, corrupt, wipe. */
export const replicaActionTestId = (action: string, id: number): string => `action-${action}-${id}`
/** A replica's menu of actions. */
export const replicaMenuTestId = (id: number): string => `replica-menu-${id}`
/** A safety monitor; carries `data-state`. */
export const monitorTestId = (name: string): string => `monitor-${name}`
/** A scenario of the library. */
export const scenarioTestId = (name: string): string => `scenario-${name}`
/** The selector of what has this test id. */
export const byTestId = (id: string): string => `[data-testid="${id}"]`
