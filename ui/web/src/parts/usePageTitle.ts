import { useEffect } from 'react';
import { text } from '../texts';

/** Name the page in the tab and for assistive technology. */
export function usePageTitle(page: string): void {
  useEffect(() => {
    document.title = text.app.title(page);
  }, [page]);
}
