/** Fault rules and Byzantine behaviours as pure functions. */
export { behaviourNames, type BehaviourName, type Sending } from './byzantine/behaviour.ts'
export { createOutbox, type Outbox } from './byzantine/outbox.ts'
export { isFaultless, noLinkFault, planDeliveries, reorderHoldMs, type Delivery, type DeliveryPlan, type LinkRule } from './link-faults.ts'
export { flipStateByte } from './state-flip.ts'
