/** The demo: the places of a retailer and a sample catalogue, loaded through the server's own calls. */
import { DoorbusterClient } from '../client/index.js'
import { demoLocations, ownLocations } from './demo-network.js'
import { stableHash } from './stable-hash.js'

const GOODS = ['Tee', 'Hoodie', 'Cap', 'Trainer', 'Backpack', 'Mug', 'Lamp', 'Kettle', 'Headphones', 'Console']
const COLOURS = ['Black', 'White', 'Red', 'Blue', 'Green', 'Sand']

const sampleProducts = GOODS.flatMap((goods, g) =>
  COLOURS.map((colour, c) => ({
    sku: `${goods}-${colour}`.toUpperCase(),
    name: `${goods}, ${colour.toLowerCase()}`,
    weightGrams: 150 + g * 120,
    price: { amount: `${9 + g * 11}.${c}0`, currency: 'GBP' },
    attributes: { colour: colour.toLowerCase() },
  })),
)

/** Between 0 and `most`, the same at each start. */
const figure = (text: string, most: number): number => stableHash(text) % (most + 1)

/** Fills an empty server. */
export async function loadDemo(url: string): Promise<void> {
  const client = await DoorbusterClient.connect(url)
  const must = async (name: string, body: unknown): Promise<void> => {
    const answer = await client.command(name, body)
    if (answer.status >= 300) throw new Error(`the demo's ${name} was refused: ${JSON.stringify(answer.body)}`)
  }
  try {
    for (const location of demoLocations) await must('location.put', location)
    await must('product.putMany', { products: sampleProducts })
    for (const { sku } of sampleProducts) {
      const items = ownLocations.map(({ id, type }) => ({
        sku,
        location: id,
        onHand: figure(`${sku}/${id}`, type === 'warehouse' ? 500 : 24),
        safetyStock: type === 'warehouse' ? 0 : 2,
      }))
      await must('inventory.putMany', { items })
    }
  } finally {
    await client.close()
  }
}
