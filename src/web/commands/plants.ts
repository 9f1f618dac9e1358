/** Planted bugs by name, for the commands that run a broken engine. */
import type { Plant } from '../../pbft/sim/index.ts'
import { print, printJson, UsageError } from '../output.ts'
import { root } from '../paths.ts'
import { problemOfSources } from '../simulation/mutated-copy.ts'

export const listPlants = (plants: readonly Plant[], json: boolean | undefined): void => {
  if (json) return printJson(plants.map(({ name, pitfall, breaks, file }) => ({ name, pitfall, breaks, file })))
  for (const { name, pitfall, breaks } of plants)
    print(`${name.padEnd(36)}${pitfall === null ? '  ' : String(pitfall).padStart(2)}  ${breaks}`)
}

/** Throws UsageError when there is none of that name, or when there are no sources to plant it in. */
export const plantNamed = (name: string, plants: readonly Plant[]): Plant => {
  const plant = plants.find((candidate) => candidate.name === name)
  if (plant === undefined) throw new UsageError(`There is no planted bug "${name}"; --plant list names them.`)
  const problem = problemOfSources(root)
  if (problem !== null) throw new UsageError(problem)
  return plant
}
