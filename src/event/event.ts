/** Events: one typed object per row of the wire, derived from the dictionary in kinds.ts. */
import type { FieldType, KindName, KINDS } from './kinds.ts'

type ValueOf<T extends FieldType> =
  T extends 'u' | 'i' ? number : T extends 's' ? string : T extends 'b' ? boolean : T extends 'a' ? readonly number[] :
  T extends 'u?' | 'i?' ? number | undefined : T extends 's?' ? string | undefined : T extends 'b?' ? boolean | undefined : readonly number[] | undefined

/** The event of one kind: `kind`, `tsNs` (CLOCK_MONOTONIC) and the fields of its dictionary entry. */
export type EventOf<K extends KindName> = { readonly kind: K; readonly tsNs: number } & {
  readonly [F in keyof (typeof KINDS)[K]['fields']]: (typeof KINDS)[K]['fields'][F] extends FieldType ? ValueOf<(typeof KINDS)[K]['fields'][F]> : never
}

/** Any event. */
export type Event = { [K in KindName]: EventOf<K> }[KindName]
