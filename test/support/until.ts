/** Waits for conditions, never for times. */

/** Resolves when `condition` holds; rejects with `what` after `limitMs`, which is a failure of the test. */
export const until = async (condition: () => boolean | Promise<boolean>, limitMs = 20_000, what = 'the condition'): Promise<void> => {
  const end = performance.now() + limitMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what} did not come within ${limitMs} ms: ${condition.toString().slice(0, 200)}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
