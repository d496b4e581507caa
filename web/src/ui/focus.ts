// SPDX-License-Identifier: MIT
/* Where the keyboard's focus goes when what had it vanishes: never to nowhere. */

/** Gives the focus to an element, and holds it on the page until the user moves on: the element may be gone by then, or
 * vanish or be disabled a moment later, when an answer arrives. Then the heading has it. May be called while a dialog is
 * still there and keeps the page inert, so the browser itself may move the focus once more. */
export function holdFocus(element: HTMLElement | null): void {
  const toHeading = (): void => {
    if (document.activeElement === document.body) document.querySelector<HTMLElement>('h1')?.focus();
  };
  const guard = new MutationObserver(toHeading);
  const release = (): void => {
    guard.disconnect();
    document.removeEventListener('focusin', onMoved);
    document.removeEventListener('pointerdown', release);
  };
  const onMoved = (event: FocusEvent): void => {
    if (event.target !== element && !(event.target as Element).closest('dialog')) release();
  };
  guard.observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ['disabled'] });
  element?.focus();
  document.addEventListener('focusin', onMoved);
  document.addEventListener('pointerdown', release);
  requestAnimationFrame(() => requestAnimationFrame(toHeading));
}
