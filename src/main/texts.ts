/** The few words that the system shows for us: menus, tray, dialogs. In the language of the page; the system's until the page has told its own. */

const english = {
  file: 'File',
  edit: 'Edit',
  view: 'View',
  go: 'Go',
  window: 'Window',
  help: 'Help',
  overview: 'Overview',
  log: 'Log',
  messages: 'Messages',
  views: 'Views',
  checkpoints: 'Checkpoints',
  requests: 'Requests',
  faults: 'Faults',
  scenarios: 'Scenarios',
  settings: 'Settings',
  healAll: 'Heal All Faults',
  closeCluster: 'Close Cluster',
  openLogs: 'Open Logs Folder',
  quit: 'Quit',
  show: 'Show the Panel',
  closing: 'A cluster is running.',
  closingDetail: 'Its replicas are processes of this app. Stopping loses nothing: what was acknowledged is on disk.',
  stop: 'Stop the Cluster and Quit',
  keep: 'Keep Running in the Tray',
  cancel: 'Cancel',
  cannotStart: 'PBFT Panel cannot start',
} as const

export type Texts = Readonly<Record<keyof typeof english, string>>

const chinese: Texts = {
  file: '文件',
  edit: '编辑',
  view: '显示',
  go: '前往',
  window: '窗口',
  help: '帮助',
  overview: '概览',
  log: '日志',
  messages: '消息',
  views: '视图',
  checkpoints: '检查点',
  faults: '故障',
  scenarios: '演练',
  requests: '请求',
  settings: '设置',
  healAll: '修复全部故障',
  closeCluster: '关闭集群',
  openLogs: '打开日志文件夹',
  quit: '退出',
  show: '显示面板',
  closing: '集群正在运行。',
  closingDetail: '副本是本应用的进程。停止不会丢失任何内容：已确认的请求都在磁盘上。',
  stop: '停止集群并退出',
  keep: '在托盘中继续运行',
  cancel: '取消',
  cannotStart: 'PBFT Panel 无法启动',
}

/** @param locale such as `zh-CN` */
export const textsOf = (locale: string): Texts => (locale.toLowerCase().startsWith('zh') ? chinese : english)
