/** Every limit of EDI files, with its reason. What exceeds one is refused by name and nothing of it is half read. */

/** Characters of one file: some 200,000 order lines, which one thread reads in about ten seconds. */
export const FILE_CHARS_MAX = 8 * 1_048_576

/** Characters and segments of one document: 5,000 order lines with ten segments each. The parser holds it as objects. */
export const DOCUMENT_CHARS_MAX = 2 * 1_048_576
export const DOCUMENT_SEGMENTS_MAX = 50_000

/** Interchanges of one file, and documents of one file: a day's orders of a large partner. */
export const INTERCHANGES_MAX = 1_000
export const DOCUMENTS_MAX = 10_000

/** Faults that are told of one document, and of one file: a person reads them, and a 997 that lists more is read by nobody. */
export const DOCUMENT_FAULTS_MAX = 50
export const FILE_FAULTS_MAX = 1_000

/** Levels of a ship notice's hierarchy (HL): shipment, order, tare, pack, inner pack, item. */
export const HIERARCHY_LEVELS_MAX = 10

/** Documents that are written into one interchange: their control numbers have four digits at least. */
export const DOCUMENTS_WRITTEN_MAX = 1_000
