import { Button } from '@mantine/core';
import css from './Notice.module.css';

/** Something that did not work, and one way on. */
export function Notice({
  children,
  action,
  onAction,
}: {
  children: string;
  action?: string;
  onAction?: () => void;
}) {
  return (
    <div className={css.notice} role="alert">
      <p>{children}</p>
      {action && (
        <Button variant="default" onClick={onAction}>
          {action}
        </Button>
      )}
    </div>
  );
}
