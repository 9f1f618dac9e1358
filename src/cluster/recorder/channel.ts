/** The channel of a child process to its parent: Node's IPC, or Electron's port of a utility process. */

export interface ParentChannel {
  post(message: unknown): void
  onMessage(listener: (message: unknown) => void): void
  /** The parent is gone, however it ended. */
  onClosed(listener: () => void): void
}

interface UtilityPort {
  postMessage(message: unknown): void
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): void
  on(event: 'close', listener: () => void): void
}

/** null when this process was started by hand, without a channel. */
export const openParentChannel = (): ParentChannel | null => {
  const port = (process as { readonly parentPort?: UtilityPort }).parentPort
  if (port !== undefined && port !== null) {
    return {
      post: (message) => port.postMessage(message),
      onMessage: (listener) => port.on('message', (event) => listener(event.data)),
      onClosed: (listener) => port.on('close', listener),
    }
  }
  if (process.send === undefined) return null
  return {
    post: (message) => void process.send?.(message, () => undefined),
    onMessage: (listener) => void process.on('message', listener),
    onClosed: (listener) => void process.on('disconnect', listener),
  }
}
