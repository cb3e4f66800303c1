import { ActionIcon, Popover, Tooltip } from '@mantine/core';
import { Box, Camera, Contrast, Crosshair, Keyboard, LayoutGrid, Maximize, RotateCcw } from 'lucide-react';
import { type ReactNode, type RefObject, useEffect, useState } from 'react';
import { text } from '../texts';
import css from './Toolbar.module.css';
import { layoutPreference, rememberLayout } from './useViewer';
import type { DragTool, Layout, Viewer } from './viewer';

interface Props {
  viewer: Viewer | null;
  tool: DragTool;
  onTool: (tool: DragTool) => void;
  panel: RefObject<HTMLElement | null>;
  name: string;
}

/** Layout, what dragging does, and what can be done with the view. */
export function Toolbar({ viewer, tool, onTool, panel, name }: Props) {
  const layout = useLayout(viewer);
  const choose = (next: Layout) => {
    rememberLayout(next);
    viewer?.setScene({ layout: next });
  };
  return (
    <div className={css.bar} role="toolbar" aria-label={text.viewer.title}>
      <Choice
        label={text.viewer.layout}
        value={layout}
        options={[
          [
            'multiplanar',
            text.viewer.layouts.multiplanar,
            <LayoutGrid key="i" size={15} aria-hidden="true" />,
          ],
          ['volume', text.viewer.layouts.volume, <Box key="i" size={15} aria-hidden="true" />],
        ]}
        onChange={choose}
      />
      <Choice
        label={text.viewer.tool}
        value={tool}
        options={[
          ['crosshair', text.viewer.tools.crosshair, <Crosshair key="i" size={15} aria-hidden="true" />],
          ['window', text.viewer.tools.window, <Contrast key="i" size={15} aria-hidden="true" />],
        ]}
        onChange={onTool}
      />
      <span className={css.space} />
      <Action label={text.viewer.reset} onClick={() => viewer?.reset()}>
        <RotateCcw size={16} aria-hidden="true" />
      </Action>
      <Action label={text.viewer.screenshot} onClick={() => void save(viewer, name)}>
        <Camera size={16} aria-hidden="true" />
      </Action>
      <Action
        label={text.viewer.fullscreen}
        onClick={() => {
          if (document.fullscreenElement) void document.exitFullscreen();
          else void panel.current?.requestFullscreen();
        }}
      >
        <Maximize size={16} aria-hidden="true" />
      </Action>
      <Popover position="bottom-end" shadow="none" width={330} trapFocus={false}>
        <Popover.Target>
          <ActionIcon variant="subtle" size={32} aria-label={text.viewer.help} className={css.keys}>
            <Keyboard size={16} aria-hidden="true" />
          </ActionIcon>
        </Popover.Target>
        <Popover.Dropdown>
          <dl className={css.help}>
            {text.viewer.help2.map(([keys, what]) => (
              <div key={keys}>
                <dt>{keys}</dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </Popover.Dropdown>
      </Popover>
    </div>
  );
}

function useLayout(viewer: Viewer | null): Layout {
  const [layout, setLayout] = useState(layoutPreference);
  useEffect(() => viewer?.on('scene', (scene) => setLayout(scene.layout)), [viewer]);
  return layout;
}

async function save(viewer: Viewer | null, name: string): Promise<void> {
  if (!viewer) return;
  const url = URL.createObjectURL(await viewer.screenshot());
  const link = document.createElement('a');
  link.href = url;
  link.download = `${name}.png`;
  link.click();
  URL.revokeObjectURL(url);
}

function Choice<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T;
  options: [T, string, ReactNode][];
  onChange: (value: T) => void;
}) {
  return (
    <fieldset className={css.choice}>
      <legend className="sr">{label}</legend>
      {options.map(([option, word, icon]) => (
        <button key={option} type="button" aria-pressed={option === value} onClick={() => onChange(option)}>
          {icon}
          <span>{word}</span>
        </button>
      ))}
    </fieldset>
  );
}

function Action({ label, onClick, children }: { label: string; onClick: () => void; children: ReactNode }) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" size={32} aria-label={label} onClick={onClick}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
