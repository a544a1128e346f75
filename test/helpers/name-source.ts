/** A source of names that a test fills by hand, and that remembers what it was asked. */
import type { NameFact, NameQuestion, NameSource, SourceHealth } from '../../src/identity/name-source.ts'

export class HandSource implements NameSource {
  readonly settled = Promise.resolve()
  readonly asked: NameQuestion[] = []
  readonly facts: NameFact[] = []
  health: SourceHealth = { state: 'answering' }
  readonly name: string

  constructor(name: string) { this.name = name }

  start(): void { this.health = { state: 'answering' } }
  take(): readonly NameFact[] { return this.facts.splice(0) }
  ask(question: NameQuestion): void { this.asked.push(question) }
  close(): void { this.health = { state: 'closed' } }
}
