/** What is done to stock and to locations. */
import { command } from '../../inventory/inventory-sequences.contract.js'
import { BACKORDER, CAPACITY, HOUR_MS, KITS, LOCATIONS, SETTINGS, SKUS } from './goods.contract.js'
import type { World } from './world.contract.js'

export class Stockroom {
  private readonly supplies: { id: string; sku: number }[] = []

  constructor(private readonly world: World) {}

  /** Products, locations, settings; a little stock. */
  open(stock: number, remorseSeconds = 0): void {
    for (const sku of SKUS) {
      const product = { name: `Thing ${sku}`, weightGrams: 500, backorder: BACKORDER.includes(sku) }
      const kit = KITS[sku]
      const items = [{ index: sku, sku: `SKU-${sku}`, product, ...(kit ? { kit } : {}) }]
      this.world.run(this.world.placement.partitionOf(sku), [command('product.put', { items })])
    }
    for (const location of LOCATIONS) this.putLocation(location, true, location % 2)
    this.world.run(0, [command('settings.put', { ...SETTINGS, remorseSeconds })])
    this.world.settle()
    for (const sku of SKUS) {
      if (KITS[sku]) continue
      for (const location of LOCATIONS) if ((sku + location) % 2 === 0) this.count(sku, location, stock, 0)
    }
    this.world.settle()
    this.world.heard.length = 0
    this.world.sent.length = 0
  }
  count(sku: number, location: number, onHand: number, safetyStock: number): void {
    const row = (): number => this.world.stockOf(sku)?.rows.find((one) => one.location === location)?.onHand ?? 0
    const before = row()
    this.world.send(this.world.placement.partitionOf(sku), 'inventory.count', {
      items: [{ sku, location, onHand, safetyStock }],
    })
    this.world.enter(sku, location, onHand - before)
  }

  adjust(sku: number, location: number, delta: number): void {
    const body = { id: this.world.newId('a'), sku, location, delta, reason: 'found' }
    const outcome = this.world.send(this.world.placement.partitionOf(sku), 'inventory.adjust', body)
    if (outcome?.status === 201) this.world.enter(sku, location, delta)
  }

  announce(sku: number, location: number, quantity: number): void {
    const id = this.world.newId('s')
    const expectedAtMs = this.world.timeMs + 48 * HOUR_MS
    const line = { id, sku, location, quantity, received: 0, expectedAtMs, reference: '' }
    this.supplies.push({ id, sku })
    this.world.send(this.world.placement.partitionOf(sku), 'supply.announce', line)
  }

  receive(which: number, quantity: number): void {
    const supply = this.supplies[which % Math.max(1, this.supplies.length)]
    if (!supply) return
    const partition = this.world.placement.partitionOf(supply.sku)
    const receipt = this.world.newId('r')
    const outcome = this.world.send(partition, 'supply.receive', { id: supply.id, quantity, receipt })
    if (outcome?.status === 200) this.world.enter(supply.sku, (outcome.body as { location: number }).location, quantity)
  }

  putLocation(location: number, active: boolean, priority: number): void {
    const document = {
      name: `Place ${location}`,
      type: location % 2 === 0 ? 'warehouse' : 'store',
      latitude: 51 + location,
      longitude: -1,
      address: { country: 'GB' },
      handlingCost: { amount: '1.00' },
      priority,
      capacityPerDay: CAPACITY[location],
      active,
    }
    this.world.send(0, 'location.put', { index: location, id: `L${location}`, location: document })
  }
}
