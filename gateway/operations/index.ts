/** All operations. */
import { adminOperations } from './admin.js'
import { catalogOperations } from './catalog.js'
import { inventoryOperations } from './inventory.js'
import type { Operation } from './operation.js'
import { reservationOperations } from './reservations.js'
import { saleOperations } from './sales.js'

export const operations: Operation[] = [
  ...catalogOperations,
  ...inventoryOperations,
  ...reservationOperations,
  ...saleOperations,
  ...adminOperations,
]
