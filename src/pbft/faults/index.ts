/** Fault rules as pure functions. */
export { isFaultless, noLinkFault, planDeliveries, reorderHoldMs, type Delivery, type DeliveryPlan, type LinkRule } from './link-faults.ts'
