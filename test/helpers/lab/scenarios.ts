/** Every scenario, in the order they are run. */
import type { Place, Scenario } from './lab.ts'
import { CONTENT_SCENARIOS } from './scenarios-contents.ts'
import { HOSTILE_SCENARIOS } from './scenarios-hostile.ts'
import { LIMIT_SCENARIOS } from './scenarios-limits.ts'
import { MACHINE_SCENARIOS } from './scenarios-machine.ts'
import { PRESSURE_SCENARIOS } from './scenarios-pressure.ts'
import { SIGNAL_SCENARIOS } from './scenarios-signals.ts'

/** The ones that may run at a place; global kills come last. */
export const scenariosAt = (place: Place): Scenario[] => [...LIMIT_SCENARIOS, ...CONTENT_SCENARIOS, ...HOSTILE_SCENARIOS, ...SIGNAL_SCENARIOS, ...MACHINE_SCENARIOS, ...PRESSURE_SCENARIOS].filter((scenario) => scenario.places.includes(place))
