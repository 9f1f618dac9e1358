/** Why a link was refused or ended; counted by whoever owns the links. */

export type HandshakeFailure =
  | 'malformed' // not this protocol
  | 'wrong-cluster'
  | 'wrong-peer' // answers under another name than was dialled, or was meant for another
  | 'unknown-peer' // not in the manifest
  | 'wrong-key' // presents another key than the manifest's
  | 'bad-signature' // does not hold the key that it presents
  | 'not-operator' // asked for a control link without being an operator
  | 'timeout'
  | 'too-many' // half-open handshakes
  | 'not-a-link' // plain HTTP, or a web page

export type FrameFailure = 'bad-mac' | 'bad-counter' | 'bad-frame' | 'too-large'

export type LinkRejection = HandshakeFailure | FrameFailure
/** `detail` is one English phrase; it may quote what the other side claimed to be, in bounded length. */
export type OnRejected = (reason: LinkRejection, detail: string) => void
