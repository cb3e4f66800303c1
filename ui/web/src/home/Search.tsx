import { Search as Lens, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { text } from '../texts';
import css from './Search.module.css';

/** Search over the cards: `/` focuses it; on a phone it is an icon that opens. */
export function Search({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [open, setOpen] = useState(Boolean(value));
  const field = useRef<HTMLInputElement>(null);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing =
        event.target instanceof HTMLElement && event.target.closest('input, textarea, [role=application]');
      const wanted =
        (event.key === 'k' && (event.metaKey || event.ctrlKey)) || (event.key === '/' && !typing);
      if (!wanted) return;
      event.preventDefault();
      setOpen(true);
      field.current?.focus();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);

  return (
    <search className={css.search} data-open={open}>
      <button
        type="button"
        className={css.icon}
        aria-label={text.home.searchShort}
        aria-expanded={open}
        onClick={() => {
          setOpen(true);
          requestAnimationFrame(() => field.current?.focus());
        }}
      >
        <Lens size={18} aria-hidden="true" />
      </button>
      <div className={css.box}>
        <Lens size={16} aria-hidden="true" />
        <input
          ref={field}
          type="search"
          value={value}
          aria-label={text.home.search}
          placeholder={text.home.search}
          onChange={(event) => onChange(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return;
            onChange('');
            setOpen(false);
            event.currentTarget.blur();
          }}
        />
        {value || open ? (
          <button
            type="button"
            className={css.clear}
            data-filled={Boolean(value)}
            aria-label={value ? text.home.clearSearch : text.home.closeSearch}
            onClick={() => {
              onChange('');
              setOpen(false);
            }}
          >
            <X size={16} aria-hidden="true" />
          </button>
        ) : null}
        <span className={css.key} aria-hidden="true">
          /
        </span>
      </div>
    </search>
  );
}
