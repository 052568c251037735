/** The problem of parcels: which locations send what, a charge for each that sends and for each of its parcels. */

/** A matrix is by location, then by item. */
export interface ParcelProblem {
  readonly locations: number
  readonly items: number
  readonly groups: number
  /** By location: once, if it sends anything. */
  readonly orderCost: Float64Array
  /** By location: each parcel. */
  readonly parcelCost: Float64Array
  /** By item. */
  readonly groupOf: Int32Array
  readonly demand: Int32Array
  readonly unitCost: Float64Array
  /** What a location can send of an item; less than the demand of a whole item is none. */
  readonly limit: Int32Array
  /** By item: whether it comes from one location. */
  readonly isWhole: Uint8Array
  /** By item: the first item with which it shares its stock, or -1 where it shares it with none. */
  readonly sibling: Int32Array
  /** What a location has: of siblings together as much as of one. */
  readonly stock: Int32Array
  /** One way to serve siblings. */
  readonly example: Int32Array
}
