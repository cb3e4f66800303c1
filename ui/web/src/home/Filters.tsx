import { ArrowDownUp } from 'lucide-react';
import type { Card } from '../api/types';
import { type Filter, passes } from '../domain/cards';
import type { Sort } from '../live/state';
import { text } from '../texts';
import css from './Filters.module.css';

const COUNTED: readonly Exclude<Filter, 'all'>[] = ['busy', 'attention', 'failed', 'done'];
const SORTS: readonly Sort[] = ['activity', 'created', 'title'];

interface Props {
  cards: Card[];
  show: Filter;
  modality: string | null;
  sort: Sort;
  onShow: (show: Filter) => void;
  onModality: (modality: string | null) => void;
  onSort: (sort: Sort) => void;
}

/** Filter chips, of what there is, and the order. */
export function Filters({ cards, show, modality, sort, onShow, onModality, onSort }: Props) {
  const modalities = [...new Set(cards.flatMap((card) => card.modalities))].sort();
  return (
    <fieldset className={css.chips}>
      <legend className="sr">{text.home.filters}</legend>
      <Chip
        pressed={show === 'all' && !modality}
        onClick={() => {
          onShow('all');
          onModality(null);
        }}
      >
        {text.home.all}
      </Chip>
      {COUNTED.map((filter) => {
        const count = cards.filter((card) => passes(card, filter, null)).length;
        if (!count && show !== filter) return null;
        return (
          <Chip
            key={filter}
            pressed={show === filter}
            onClick={() => onShow(show === filter ? 'all' : filter)}
            count={count}
          >
            {text.home[filter]}
          </Chip>
        );
      })}
      {modalities.length > 1 &&
        modalities.map((one) => (
          <Chip
            key={one}
            pressed={modality === one}
            onClick={() => onModality(modality === one ? null : one)}
          >
            {one}
          </Chip>
        ))}
      <label className={css.chip}>
        <ArrowDownUp size={13} aria-hidden="true" />
        <span>{text.home.sort}</span>
        <select value={sort} onChange={(event) => onSort(event.target.value as Sort)}>
          {SORTS.map((one) => (
            <option key={one} value={one}>
              {text.home.sorts[one]}
            </option>
          ))}
        </select>
      </label>
    </fieldset>
  );
}

function Chip({
  pressed,
  onClick,
  count,
  children,
}: {
  pressed: boolean;
  onClick: () => void;
  count?: number;
  children: string;
}) {
  return (
    <button type="button" className={css.chip} aria-pressed={pressed} onClick={onClick}>
      {children}
      {count !== undefined && <span>{count}</span>}
    </button>
  );
}
