/** Names of Kubernetes (DNS labels and subdomains), ids of runtimes and of the API, as sources write them: nothing else names anybody. */
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/, CONTAINER_ID = /^[0-9a-f]{64}$/, UID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$|^[0-9a-f]{32}$/
const matching = (pattern: RegExp) => (value: unknown): string | undefined => (typeof value === 'string' && pattern.test(value) ? value : undefined)
export const nameOf = matching(NAME), containerIdOf = matching(CONTAINER_ID), podUidOf = matching(UID)
