/** Work that an operator's regular expression can make take for ever, interrupted when it does. */
import { createContext, Script } from 'node:vm'

const script = new Script('work()')

/** What `work` returns; null when it took longer than `ms` and was broken off. `work` must hold nothing open: it may end anywhere. */
export const within = <T>(ms: number, work: () => T): T | null => {
  try {
    return script.runInContext(createContext({ work }), { timeout: ms }) as T
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return null
    throw error
  }
}
