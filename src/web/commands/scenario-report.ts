/** How the command line narrates a scenario and reports its outcome. */
import type { Host } from '../../cluster/host-interface.ts'
import type { ScenarioRun } from '../../contract/scenarios.ts'
import { exitCodes, note, print, printJson } from '../output.ts'

/** Says each step's expectation before it acts, and what came of it after. */
export const narrator = (json: boolean): ((run: ScenarioRun) => void) => {
  const say = json ? note : print
  const told = new Map<number, 'expected' | 'observed'>()
  return (run) => {
    for (const [index, step] of run.steps.entries()) {
      if (step.phase === 'pending' || step.phase === 'not-reached') continue
      if (!told.has(index)) {
        say(`\n${step.title.en}`)
        if (step.say !== null) say(`  ${step.say.en}`)
        say(`  expected  ${step.expect.en}`)
        told.set(index, 'expected')
      }
      if (step.endedAt === null || told.get(index) === 'observed') continue
      for (const { sentence, holds } of step.observations) say(`  ${holds ? 'observed ' : 'NOT SO   '} ${sentence}`)
      say(`  ${step.phase === 'held' ? 'holds' : 'DOES NOT HOLD'}`)
      told.set(index, 'observed')
    }
  }
}

/** Tells the host too, so that the scenario becomes one of the recorded runs. */
export const kept =
  (host: Host, narrate: (run: ScenarioRun) => void): ((run: ScenarioRun) => void) =>
  (run) => {
    void host.takeScenario(run)
    narrate(run)
  }

/** A file that the run was written into. */
export interface TakenAlong {
  readonly file: string
  readonly bytes: number
}

/** The outcome, on stdout, as the exit code says it; `files`: what was made of the run, by what it is. */
export const reportScenario = (run: ScenarioRun, json: boolean, files: Readonly<Record<string, TakenAlong>> = {}): void => {
  process.exitCode = run.holds === true ? exitCodes.success : exitCodes.no
  if (json) {
    const steps = run.steps.map(({ title, expect, observations, phase }) => ({
      title: title.en,
      expected: expect.en,
      observed: phase === 'not-reached' ? 'not reached' : observations.map(({ sentence }) => sentence).join(' '),
      holds: phase === 'held',
    }))
    printJson({ scenario: run.name, steps, verdicts: run.verdicts, holds: run.holds, ...files })
    return
  }
  const verdicts = Object.entries(run.verdicts ?? {}).map(([monitor, state]) => `${monitor}: ${state}`)
  print(`\n${verdicts.join(', ')}`)
  print(run.holds === true ? 'Everything held.' : 'Something did not hold.')
  for (const { file, bytes } of Object.values(files)) print(`${file}  ${bytes} bytes`)
}
