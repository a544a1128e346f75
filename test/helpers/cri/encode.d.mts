export type FieldValue = number | bigint | boolean | string | Buffer
export function field(number: number, value: FieldValue): Buffer
export function message(fields: Readonly<Record<number, FieldValue | readonly FieldValue[] | undefined>>): Buffer
export function map(object: Readonly<Record<string, string>>): Buffer[]
export function grpcFrame(body: Buffer): Buffer
export function textAt(body: Buffer, wanted: number): Buffer | undefined
