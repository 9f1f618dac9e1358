/** How child processes are started: by Node's child_process or by Electron's utilityProcess, behind one interface. */

export interface ChildExit {
  readonly code: number | null
  readonly signal: string | null
}

export interface LaunchOptions {
  readonly args: readonly string[]
  /** Standard output and error are appended here; the file is created. */
  readonly logFile: string
}

export type ChildSignal = 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'

/** A started child. Messages are JSON-safe values over its own channel; the child ends itself when that channel closes. */
export interface Child {
  readonly pid: number
  post(message: unknown): void
  onMessage(listener: (message: unknown) => void): void
  /** Called once, also for a child that could not be started (code null, signal null). */
  onExit(listener: (exit: ChildExit) => void): void
  kill(signal: ChildSignal): void
}

/** Resolves when the process exists; rejects when it cannot be made. `entry` is a script's path. */
export type Launch = (entry: string, options: LaunchOptions) => Promise<Child>
