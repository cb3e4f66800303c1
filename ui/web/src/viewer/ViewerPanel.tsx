import { Button } from '@mantine/core';
import { useMemo, useRef, useState } from 'react';
import { fileUrl } from '../api/client';
import type { SeriesView } from '../api/types';
import { bytes } from '../domain/format';
import { noVolume, seriesName } from '../domain/series';
import { text } from '../texts';
import { Pictures } from './Pictures';
import { Toolbar } from './Toolbar';
import { useViewer } from './useViewer';
import { useViewerKeys } from './useViewerKeys';
import css from './ViewerPanel.module.css';
import { ViewerStatus } from './ViewerStatus';
import { canRender, type DragTool } from './viewer';

/** Volumes larger than this are opened on demand only, bytes as they travel. */
const ASK_ABOVE = 96e6;

let renders: boolean | undefined;

/** Slices and volume of a series, or its pictures where they must do. */
export function ViewerPanel({ feed, series }: { feed: string; series: SeriesView }) {
  const volume = series.run?.artefacts.find((one) => one.role === 'volume') ?? null;
  const [wanted, setWanted] = useState(false);
  renders ??= canRender();
  if (!volume) {
    return (
      <Pictures feed={feed} series={series}>
        {noVolume(series)}
      </Pictures>
    );
  }
  if (!renders) {
    return (
      <Pictures feed={feed} series={series}>
        {text.viewer.noWebgl}
      </Pictures>
    );
  }
  if (volume.blob.size > ASK_ABOVE && !wanted) {
    return (
      <Pictures
        feed={feed}
        series={series}
        action={<Button onClick={() => setWanted(true)}>{text.viewer.open}</Button>}
      >
        {text.viewer.large(bytes(volume.blob.size))}
      </Pictures>
    );
  }
  return <Canvas feed={feed} series={series} sha256={volume.blob.sha256} />;
}

function Canvas({ feed, series, sha256 }: { feed: string; series: SeriesView; sha256: string }) {
  const panel = useRef<HTMLElement>(null);
  const name = text.viewer.name(seriesName(series));
  const view = useViewer(fileUrl(feed, sha256), name);
  const [tool, setTool] = useState<DragTool>('crosshair');
  const onKeyDown = useViewerKeys(view.viewer);
  const poster = useMemo(
    () => series.run?.artefacts.find((one) => one.role === 'key_slice')?.blob.sha256,
    [series.run],
  );
  if (view.phase === 'failed') {
    return (
      <Pictures
        feed={feed}
        series={series}
        action={
          <Button variant="default" onClick={view.again}>
            {text.errors.retry}
          </Button>
        }
      >
        {text.viewer.failed}
      </Pictures>
    );
  }
  return (
    <section className={css.panel} ref={panel} aria-label={text.viewer.title} data-phase={view.phase}>
      <Toolbar
        viewer={view.viewer}
        tool={tool}
        onTool={(next) => {
          setTool(next);
          view.viewer?.setTool(next);
        }}
        panel={panel}
        name={seriesName(series)}
      />
      {/* The canvas is put in here; keys bubble up from it. */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the focusable application is the canvas inside */}
      <div className={css.stage} ref={view.stage} onKeyDown={onKeyDown}>
        {view.phase !== 'ready' && (
          <div className={css.loading}>
            {poster && <img src={fileUrl(feed, poster)} alt="" />}
            <p role="status" className="tabular">
              {view.phase === 'preparing'
                ? text.viewer.preparing
                : view.fraction === null
                  ? text.viewer.loading
                  : text.viewer.loadingPercent(Math.round(view.fraction * 100))}
            </p>
          </div>
        )}
      </div>
      <ViewerStatus viewer={view.viewer} />
    </section>
  );
}
