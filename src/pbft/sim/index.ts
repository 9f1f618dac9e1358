/** The deterministic simulator, and the checkers that real runs share with it. */
export * from './checkers/index.ts'
export { calmMix, type FaultMix, type NemesisAction } from './fault-mix.ts'
export type { Plant } from './plant.ts'
export { createRandom, type Random } from './random.ts'
export { runSeed, type SeedOptions, type SeedResult } from './simulation.ts'
export { runSwarm, type SwarmOptions, type SwarmResult } from './swarm.ts'
