/** Runs jobs two (or as many as said) at a time; results in the order of the jobs. */
export const inPool = async <Job, Result>(jobs: readonly Job[], width: number, run: (job: Job) => Promise<Result>): Promise<Result[]> => {
  const results: Result[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < jobs.length) {
      const index = next++
      results[index] = await run(jobs[index] as Job)
    }
  }
  await Promise.all(Array.from({ length: width }, worker))
  return results
}
