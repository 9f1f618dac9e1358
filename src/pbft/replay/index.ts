/** Recorded replicas run again, stepped and looked into. */
export { Replay, type Divergence, type ReplayedStep, type ReplayProblem, type ReplayProof, type ReplaySource } from './replay.ts'
export { diffOf, stateView, type Change, type Plain } from './state-view.ts'
