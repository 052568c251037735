/** The client's public surface. */
export {
  type ClientOptions,
  type CommandOptions,
  DoorbusterClient,
  type HoldReference,
  type ReservationRequest,
} from './client.js'
export { ClientError, type ClientErrorCode } from './client-error.js'
export type { Backoff } from './connection.js'
export type { CommandReply, Interned, OnEvent } from './control-calls.js'
export { FrameSocket, type FrameSocketOptions, type SocketClosed, SUBPROTOCOL } from './frame-socket.js'
export {
  CountFrameWriter,
  FRAME_RECORDS,
  HoldFrameWriter,
  ReplyReader,
  ReserveFrameWriter,
  uuidBytes,
} from './frames.js'
export type { RecordReply } from './packed-calls.js'
