/** The newest N of something, so that nothing grows without bound. */

export class Ring<T> {
  readonly capacity: number
  private readonly items: T[] = []

  constructor(capacity: number) { this.capacity = capacity }

  push(item: T): void {
    this.items.push(item)
    if (this.items.length > this.capacity) this.items.shift()
  }

  /** Oldest first. */
  values(): readonly T[] { return this.items }
}
