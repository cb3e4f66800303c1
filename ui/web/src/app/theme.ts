import { createTheme, type MantineColorsTuple } from '@mantine/core';

// Mantine takes its colours from our tokens, so that there is one place where a colour is decided.
const accent: MantineColorsTuple = [
  'var(--acc-soft)',
  'var(--acc-soft)',
  'var(--acc)',
  'var(--acc)',
  'var(--acc)',
  'var(--acc)',
  'var(--acc)',
  'var(--acc)',
  'var(--acc)',
  'var(--acc)',
];

export const theme = createTheme({
  fontFamily: 'var(--font)',
  headings: { fontFamily: 'var(--font)' },
  primaryColor: 'accent',
  colors: { accent },
  defaultRadius: 9,
  cursorType: 'pointer',
  focusRing: 'auto',
  respectReducedMotion: true,
  activeClassName: '',
  components: {
    Button: { defaultProps: { size: 'sm' } },
    Modal: { defaultProps: { centered: true, radius: 12, overlayProps: { backgroundOpacity: 0.6 } } },
  },
});
