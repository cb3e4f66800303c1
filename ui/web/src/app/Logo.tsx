/** Stacked slices. */
export function Logo({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" fill="none" aria-hidden="true" focusable="false">
      <path d="M5 10.5 16 4.5l11 6-11 6z" fill="#7ee0c0" />
      <g stroke="#4aa3ec" strokeWidth="2.8" strokeLinejoin="round" strokeLinecap="round">
        <path d="m5.5 16.5L16 22l10.5-5.5" />
        <path d="m5.5 22 10.5 5.5L26.5 22" strokeOpacity=".6" />
      </g>
    </svg>
  );
}
