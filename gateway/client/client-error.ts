/**
 * Why a call failed; stable, for programs.
 *
 * - `unavailable`: no connection could be made; try again later or check the address.
 * - `unauthorized`: the server refused the credentials, or the origin.
 * - `overloaded`: this client has as much waiting as it may; slow down and try again.
 * - `deadline_exceeded`: no answer in time. What was asked may have happened: repeat it with the same id.
 * - `connection_lost`: the connection broke under a command that has no id to make a repeat safe.
 * - `protocol`: the peer sent something that is not `doorbuster.v1`, or said so of us; the client is closed.
 * - `invalid`: the call itself is wrong (an id that is no UUID, a frame that is full).
 * - `closed`: the client was closed.
 */
export type ClientErrorCode =
  | 'unavailable'
  | 'unauthorized'
  | 'overloaded'
  | 'deadline_exceeded'
  | 'connection_lost'
  | 'protocol'
  | 'invalid'
  | 'closed'

/** The one error of the client. A refusal by the server (insufficient stock, a problem document) is an answer, not an error. */
export class ClientError extends Error {
  constructor(
    readonly code: ClientErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'ClientError'
  }
}
