// A divider between two areas: drags with the pointer, moves with the arrow keys (ARIA practices, window splitter).

export interface DividerOptions {
  /** Heights of the area below the divider, in CSS pixels. */
  readonly min: number;
  readonly max: number;
  /** Called with the new height while it changes. */
  readonly resize: (heightPx: number) => void;
  /** The current height. */
  readonly height: () => number;
}

const stepPx = 24;

export function wireDivider(divider: HTMLElement, options: DividerOptions): void {
  const { min, max, resize, height } = options;
  let dragged: { readonly fromY: number; readonly fromHeight: number } | undefined;

  function set(wanted: number): void {
    const next = Math.round(Math.min(max, Math.max(min, wanted)));
    resize(next);
    divider.setAttribute("aria-valuenow", String(next));
  }

  divider.setAttribute("aria-valuemin", String(min));
  divider.setAttribute("aria-valuemax", String(max));
  divider.setAttribute("aria-valuenow", String(Math.round(height())));
  divider.addEventListener("pointerdown", (event) => {
    dragged = { fromY: event.clientY, fromHeight: height() };
    divider.setPointerCapture(event.pointerId);
  });
  divider.addEventListener("pointermove", (event) => {
    if (dragged !== undefined) {
      set(dragged.fromHeight + dragged.fromY - event.clientY);
    }
  });
  divider.addEventListener("lostpointercapture", () => {
    dragged = undefined;
  });
  divider.addEventListener("keydown", (event) => {
    const direction = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
    if (direction !== 0) {
      event.preventDefault();
      set(height() + direction * stepPx);
    }
  });
}
