import { WifiOff } from 'lucide-react';
import { useEffect, useState } from 'react';
import { clockTime } from '../domain/format';
import { useLink } from '../live/socket';
import { text } from '../texts';
import css from './Shell.module.css';

/** How long the socket may be down before it is worth a word, ms. */
const GRACE_MS = 5_000;

/** Says that what is shown may be old, when the connection is down for longer than a moment. */
export function StaleBanner() {
  const downSince = useLink((link) => link.downSince);
  const heard = useLink((link) => link.heard);
  const [stale, setStale] = useState(false);
  useEffect(() => {
    setStale(false);
    if (downSince === null) return undefined;
    const timer = setTimeout(() => setStale(true), Math.max(0, downSince + GRACE_MS - Date.now()));
    return () => clearTimeout(timer);
  }, [downSince]);
  return (
    <div role="status" className={css.stale} data-stale={stale}>
      {stale && (
        <p>
          <WifiOff size={16} aria-hidden="true" />
          <b>{text.live.stale(clockTime(heard ?? downSince ?? Date.now()))}</b>
          <span>{text.live.staleHint}</span>
        </p>
      )}
    </div>
  );
}
