import type { Sort } from './state';

const KEY = 'chips.sort';

/** The order of the cards that this reader chose last. */
export function sortPreference(): Sort {
  const kept = window.localStorage.getItem(KEY);
  return kept === 'created' || kept === 'title' ? kept : 'activity';
}

/** Remember the order of the cards. */
export function rememberSort(sort: Sort): void {
  window.localStorage.setItem(KEY, sort);
}
