/** The smallest amount of a currency that can be paid (ISO 4217, minor units), in ten-thousandths. */

const WITHOUT_DECIMALS = new Set('BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' '))
const WITH_THREE_DECIMALS = new Set('BHD IQD JOD KWD LYD OMR TND'.split(' '))

export function minorUnit(currency: string): number {
  if (WITHOUT_DECIMALS.has(currency)) return 10_000
  return WITH_THREE_DECIMALS.has(currency) ? 10 : 100
}
