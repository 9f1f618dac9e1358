/** Authenticated links between replicas, clients and operators, and the keys under them. Used by both ends. */
export { accept, halfOpenMax, type Accepter, type AcceptOptions } from './accept.ts'
export { dial, linkPath, type Dialer, type DialOptions } from './dial.ts'
export { messageBytesMax } from './frames.ts'
export type { DialerIdentity, LinkRole, Peer } from './handshake.ts'
export {
  generateKey,
  importPublicKey,
  keyFromSeed,
  loadPrivateKey,
  publicKeyBytes,
  publicKeyOf,
  savePrivateKey,
  sha256,
  sign,
  signatureBytes,
  verify,
  verifyInPool,
  type PrivateKey,
  type PublicKey,
} from './keys.ts'
export { defaultLinkSettings, type Link, type LinkHandlers, type LinkSettings } from './link.ts'
export { checkManifest, directoryOf, loadManifest, manifestBytesMax, type Directory } from './manifest.ts'
export type { FrameFailure, HandshakeFailure, LinkRejection, OnRejected } from './rejections.ts'
