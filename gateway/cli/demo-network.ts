/**
 * The network of an invented British retailer: 3 warehouses, 20 stores, a drop-ship supplier and a 3PL. The demonstration
 * loads all of it; the replay of real history stocks its warehouses and stores.
 */

type LocationType = 'warehouse' | 'store' | 'dropship' | '3pl'

/** The body of `PUT /v1/locations/{id}`. */
interface LocationBody {
  readonly name: string
  readonly type: LocationType
  readonly address: {
    readonly line1: string
    readonly city: string
    readonly postalCode: string
    /** ISO 3166-1 alpha-2. */
    readonly country: string
  }
  readonly latitude: number
  readonly longitude: number
  readonly capacityPerDay: number
  /** Orders up to this time of day, in the location's own zone, leave the same day. */
  readonly cutoff: string
  readonly timeZone: string
  /** The lower, the sooner it is asked. */
  readonly priority: number
  readonly handlingCost: { readonly amount: string; readonly currency: string }
  readonly active: boolean
}

export interface DemoLocation extends LocationBody {
  readonly id: string
}

/** What places of a type have in common. */
const TRADE: Record<LocationType, Pick<LocationBody, 'capacityPerDay' | 'cutoff' | 'priority' | 'handlingCost'>> = {
  warehouse: {
    capacityPerDay: 20_000,
    cutoff: '18:00',
    priority: 1,
    handlingCost: { amount: '0.85', currency: 'GBP' },
  },
  '3pl': { capacityPerDay: 8_000, cutoff: '16:00', priority: 2, handlingCost: { amount: '1.40', currency: 'GBP' } },
  store: { capacityPerDay: 120, cutoff: '14:00', priority: 3, handlingCost: { amount: '1.95', currency: 'GBP' } },
  dropship: { capacityPerDay: 500, cutoff: '12:00', priority: 4, handlingCost: { amount: '0.00', currency: 'GBP' } },
}

type Place = [
  id: string,
  type: LocationType,
  line1: string,
  city: string,
  postalCode: string,
  latitude: number,
  longitude: number,
]

const PLACES: readonly Place[] = [
  ['WH-MILTON-KEYNES', 'warehouse', '4 Fen Street', 'Milton Keynes', 'MK10 0BA', 52.034, -0.694],
  ['WH-WAKEFIELD', 'warehouse', '2 Silkwood Park', 'Wakefield', 'WF5 9TJ', 53.677, -1.548],
  ['WH-GLASGOW', 'warehouse', '18 Clydegate', 'Glasgow', 'G51 4TW', 55.865, -4.336],
  ['ST-LONDON', 'store', '210 Regent Street', 'London', 'W1B 5BB', 51.513, -0.14],
  ['ST-BIRMINGHAM', 'store', '31 Corporation Street', 'Birmingham', 'B2 4LP', 52.48, -1.897],
  ['ST-MANCHESTER', 'store', '12 Market Street', 'Manchester', 'M1 1PT', 53.482, -2.24],
  ['ST-LEEDS', 'store', '58 Briggate', 'Leeds', 'LS1 6AS', 53.797, -1.542],
  ['ST-LIVERPOOL', 'store', '7 Paradise Street', 'Liverpool', 'L1 8JF', 53.403, -2.987],
  ['ST-BRISTOL', 'store', '40 Broadmead', 'Bristol', 'BS1 3DP', 51.458, -2.588],
  ['ST-SHEFFIELD', 'store', '22 Fargate', 'Sheffield', 'S1 2HE', 53.382, -1.469],
  ['ST-NEWCASTLE', 'store', '103 Northumberland Street', 'Newcastle upon Tyne', 'NE1 7AG', 54.976, -1.612],
  ['ST-NOTTINGHAM', 'store', '15 Clumber Street', 'Nottingham', 'NG1 3GB', 52.955, -1.148],
  ['ST-LEICESTER', 'store', '9 Gallowtree Gate', 'Leicester', 'LE1 1DD', 52.635, -1.13],
  ['ST-SOUTHAMPTON', 'store', '76 Above Bar Street', 'Southampton', 'SO14 7DX', 50.906, -1.404],
  ['ST-BRIGHTON', 'store', '28 North Street', 'Brighton', 'BN1 1EB', 50.823, -0.141],
  ['ST-NORWICH', 'store', '5 Gentleman’s Walk', 'Norwich', 'NR2 1NA', 52.628, 1.293],
  ['ST-CAMBRIDGE', 'store', '19 Petty Cury', 'Cambridge', 'CB2 3NE', 52.205, 0.121],
  ['ST-OXFORD', 'store', '33 Cornmarket Street', 'Oxford', 'OX1 3HB', 51.753, -1.258],
  ['ST-EXETER', 'store', '64 High Street', 'Exeter', 'EX4 3DJ', 50.724, -3.53],
  ['ST-YORK', 'store', '11 Coney Street', 'York', 'YO1 9QL', 53.959, -1.084],
  ['ST-CARDIFF', 'store', '45 Queen Street', 'Cardiff', 'CF10 2AS', 51.482, -3.175],
  ['ST-EDINBURGH', 'store', '91 Princes Street', 'Edinburgh', 'EH2 2ER', 55.952, -3.197],
  ['ST-BELFAST', 'store', '14 Donegall Place', 'Belfast', 'BT1 5AA', 54.599, -5.93],
  ['DS-STOKE', 'dropship', '3 Potters Yard', 'Stoke-on-Trent', 'ST1 3AX', 53.026, -2.177],
  ['3PL-DAVENTRY', '3pl', '1 Royal Oak Way', 'Daventry', 'NN11 8PQ', 52.271, -1.182],
]

const TYPE_NAMES: Record<LocationType, string> = {
  warehouse: 'warehouse',
  store: 'store',
  dropship: 'drop-ship supplier',
  '3pl': '3PL',
}

/** All 25 places. */
export const demoLocations: readonly DemoLocation[] = PLACES.map(
  ([id, type, line1, city, postalCode, latitude, longitude]) => ({
    id,
    name: `${city} ${TYPE_NAMES[type]}`,
    type,
    address: { line1, city, postalCode, country: 'GB' },
    latitude,
    longitude,
    ...TRADE[type],
    timeZone: 'Europe/London',
    active: true,
  }),
)

/** The 23 that hold the retailer's own stock: warehouses and stores. */
export const ownLocations: readonly DemoLocation[] = demoLocations.filter(
  ({ type }) => type === 'warehouse' || type === 'store',
)
