/** What a connection of files is told. */
import { z } from 'zod'
import { money } from '../../schemas.js'

export const fileSettings = z.object({
  currency: money.shape.currency.optional().meta({ description: 'Where a file does not say' }),
  folder: z.string().min(1).max(4_096).optional().meta({ description: 'Files that are put here are imported' }),
})
export type FileSettings = z.output<typeof fileSettings>
