import type { ReactNode } from 'react';
import css from './Meta.module.css';

/** Facts in a row with separators between those that there are. */
export function Meta({ items }: { items: ReactNode[] }) {
  const there = items.filter((item) => item !== null && item !== undefined && item !== '' && item !== false);
  return (
    <p className={css.meta}>
      {there.map((item, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the place is the identity
        <span key={index} className={css.item}>
          {item}
        </span>
      ))}
    </p>
  );
}
