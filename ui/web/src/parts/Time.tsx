import { fullTime, relativeTime } from '../domain/format';
import { useNow } from './useNow';

/** A moment, said relative to now and kept true. */
export function Time({ iso }: { iso: string }) {
  const now = useNow();
  return (
    <time dateTime={iso} title={fullTime(iso)}>
      {relativeTime(iso, now)}
    </time>
  );
}
