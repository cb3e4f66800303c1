import { useEffect, useState } from 'react';
import { sayLps } from '../domain/coordinates';
import { measured } from '../domain/format';
import { text } from '../texts';
import css from './ViewerPanel.module.css';
import type { Viewer } from './viewer';

/** A screen reader hears a position only after it rests, ms. */
const REST_MS = 400;

/** Where the crosshair is and what is there: seen at once, heard when it rests. */
export function ViewerStatus({ viewer }: { viewer: Viewer | null }) {
  const [position, setPosition] = useState('');
  const [range, setRange] = useState('');
  const [heard, setHeard] = useState('');
  useEffect(() => {
    if (!viewer) return undefined;
    const show = () => {
      const { point, value } = viewer.probe();
      const { window } = viewer.getScene();
      const said = value === null ? null : measured(value, '1');
      setPosition(text.viewer.crosshair(sayLps(point, text.viewer.directions), said));
      setRange(window ? text.viewer.window(measured(window[0], '1'), measured(window[1], '1')) : '');
    };
    show();
    return viewer.on('scene', show);
  }, [viewer]);
  useEffect(() => {
    const timer = setTimeout(() => setHeard(position), REST_MS);
    return () => clearTimeout(timer);
  }, [position]);
  return (
    <div className={css.status}>
      <p className="tabular" aria-hidden="true">
        {position}
      </p>
      <p className="tabular">{range}</p>
      <p className="sr" aria-live="polite">
        {heard}
      </p>
      <p className="sr" id="viewer-keys">
        {text.viewer.keys}
      </p>
    </div>
  );
}
