import { hue, initials } from '../domain/format';
import css from './Avatar.module.css';

const COLOURS = 8;

/** A person as two letters on a colour of their own. */
export function Avatar({ name, id, size = 24 }: { name: string; id: string; size?: number }) {
  return (
    <span
      className={css.avatar}
      data-colour={hue(id, COLOURS)}
      style={{ width: size, height: size, fontSize: size * 0.42 }}
      aria-hidden="true"
      title={name}
    >
      {initials(name)}
    </span>
  );
}
