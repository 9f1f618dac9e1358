/** All planted bugs. */
import { checkpointPlants } from './checkpoints.ts'
import { clientPlants } from './clients.ts'
import { diskPlants } from './disk.ts'
import type { Plant } from './plant.ts'
import { viewChangePlants } from './view-changes.ts'
import { votePlants } from './votes.ts'

export { applyPlant, type Plant } from './plant.ts'

export const plants: readonly Plant[] = [...votePlants, ...viewChangePlants, ...checkpointPlants, ...clientPlants, ...diskPlants]
