/** Authenticated links between replicas, clients and operators, and the keys under them. Used by both ends. */
export { accept, type Accepter } from './accept.ts'
export { dial, linkPath, type Dialer, type DialOptions } from './dial.ts'
export type { DialerIdentity, LinkRole } from './handshake.ts'
export {
  generateKey,
  loadPrivateKey,
  publicKeyOf,
  savePrivateKey,
  sha256,
  sign,
  verify,
  verifyInPool,
  type PrivateKey,
  type PublicKey,
} from './keys.ts'
export type { Link, LinkHandlers } from './link.ts'
export { checkManifest, directoryOf, loadManifest, type Directory } from './manifest.ts'
export { holdsRequestMac, makeRequestMacs } from './request-macs.ts'
export type { LinkRejection } from './rejections.ts'
