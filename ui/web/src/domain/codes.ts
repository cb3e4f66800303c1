// The words for what carries a code; the server's own where the catalogue has none.

import type { Finding, Measure, ReasonCount } from '../api/types';
import { text } from '../texts';

/** Why images are in quarantine. */
export function reasonText({ reason, message }: ReasonCount): string {
  return text.codes.reasons[reason] ?? message;
}

/** What a finding is about, in a few words; null for one that the catalogue does not know. */
export function findingTitle({ code }: Finding): string | null {
  return text.codes.findings[code] ?? null;
}

/** What was measured. */
export function measureLabel({ name, label }: Measure): string {
  if (text.codes.measures[name] ?? label) return text.codes.measures[name] ?? label ?? '';
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
