/**
 * What a solver found as the least cost of large orders, at the weights below: of the first 60 that can be served, those
 * that it could prove in 9 seconds. It needs minutes for all, so what it found is kept; a few are solved again by the test.
 */
import type { SourcingWeights } from './costs.js'

/** A solver's gap: no plan is cheaper than an optimum by more. */
export const OPTIMA_GAP = 0.002

/** The number of a large order (`largeRequest`) and its optimum. */
export const LARGE_OPTIMA: readonly (readonly [number: number, cost: number])[] = [
  [1, 688_929],
  [2, 1_055_392],
  [3, 640_448],
  [4, 594_026],
  [5, 678_932],
  [6, 559_921],
  [7, 842_292],
  [8, 825_864],
  [9, 447_313],
  [10, 1_037_918],
  [11, 1_088_012],
  [12, 516_743],
  [13, 658_822],
  [14, 2_071_696],
  [15, 709_927],
  [20, 956_498],
  [21, 372_002],
  [22, 1_081_988],
  [23, 1_267_589],
  [24, 506_334],
  [25, 657_437],
  [26, 1_478_641],
  [27, 636_211],
  [29, 869_895],
  [31, 917_886],
  [32, 731_090],
  [33, 299_041],
  [34, 968_932],
  [35, 1_302_813],
  [39, 589_705],
  [40, 668_549],
  [41, 1_029_126],
  [42, 665_309],
  [43, 826_547],
  [44, 1_194_666],
  [45, 451_325],
  [47, 1_224_896],
  [49, 538_928],
  [50, 1_663_430],
  [51, 564_258],
  [52, 788_683],
  [53, 754_538],
  [56, 952_542],
  [59, 1_236_887],
  [60, 419_049],
]

export const OPTIMA_WEIGHTS: SourcingWeights = {
  parcelByZone: { local: 35_000, near: 40_000, middle: 45_000, far: 55_000, foreign: 120_000 },
  kilogramByZone: { local: 2_000, near: 3_000, middle: 4_000, far: 6_000, foreign: 25_000 },
  parcel: 5_000,
  split: 30_000,
  lateDay: 50_000,
  waitingDay: 2_000,
  kilometre: 5,
  scarcity: { store: 20_000, warehouse: 3_000, '3pl': 3_000, dropship: 0 },
  balance: 10_000,
  priority: 500,
}
