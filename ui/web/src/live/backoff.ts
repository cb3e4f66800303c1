/** Shortest wait before the next attempt, ms. */
export const LEAST_MS = 500;
/** Longest wait, ms. */
export const MOST_MS = 15_000;

/** How long to wait before attempt `attempt` (0 is the first after a loss): anywhere between the least
 * and a bound that doubles, so that many tabs don't come back at once. `chance` is in [0, 1). */
export function backoff(attempt: number, chance: number): number {
  const bound = Math.min(MOST_MS, 2 * LEAST_MS * 2 ** Math.min(attempt, 10));
  return Math.round(LEAST_MS + chance * (bound - LEAST_MS));
}
