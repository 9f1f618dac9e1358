/** All planted bugs. */
import { checkpointPlants } from './checkpoints.ts'
import { clientPlants } from './clients.ts'
import { diskPlants } from './disk.ts'
import type { Plant } from './plant.ts'
import { processPlants } from './processes.ts'
import { testedPlants } from './tested.ts'
import { viewChangePlants } from './view-changes.ts'
import { votePlants } from './votes.ts'

export { testedPlants } from './tested.ts'
export { applyPlant, type Plant } from './plant.ts'

/** Those that the simulator is to find. */
export const plants: readonly Plant[] = [...votePlants, ...viewChangePlants, ...checkpointPlants, ...clientPlants, ...diskPlants]

/** Those that a cluster of real processes can be started with. */
export const plantsForProcesses: readonly Plant[] = [...processPlants, ...plants, ...testedPlants]
