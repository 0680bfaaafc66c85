/**
 * Links, forms and `open` that name `_top` or `_parent`. For a device's page that is itself or a page around it; here the
 * shell is around them all, which no page may replace. So they get the outermost page of the device instead. What cannot
 * be helped is `top.location`: the shell then offers a tab of its own (`navigation.ts`).
 */

/** Given to the outermost page for the moment of a navigation, if it has no name. */
const OUTERMOST_NAME = "porthole-outermost";

/** The outermost window of this origin. */
export function outermost(): Window {
  let window: Window = self;
  while (window.parent !== window && isOwn(window.parent)) window = window.parent;
  return window;
}

function isOwn(window: Window): boolean {
  try {
    return window.origin === self.origin;
  } catch {
    return false; // the shell
  }
}

/** Call once in a page, before its scripts; without effect in a tab of its own. */
export function keepTargetsInside(): void {
  if (outermost().parent === outermost()) return;
  if (self.name === OUTERMOST_NAME) self.name = ""; // it comes along with the navigation that it was for
  for (const type of ["click", "submit"]) addEventListener(type, aimEvent, true);
  HTMLFormElement.prototype.submit = new Proxy(HTMLFormElement.prototype.submit, {
    apply(target, form: HTMLFormElement, values: []) {
      aim(form);
      return Reflect.apply(target, form, values);
    },
  });
  globalThis.open = new Proxy(open, {
    apply(native, self, [url, target, ...rest]: unknown[]) {
      const { name, restore } = inside(String(target ?? ""));
      try {
        return Reflect.apply(native, self, [url, name ?? target, ...rest]);
      } finally {
        restore();
      }
    },
  });
}

/** Before the page's own listeners: one of them may end the event's way. */
function aimEvent(event: Event): void {
  const element = event.composedPath().find((one) => isAimed(one, event.type));
  if (element !== undefined) aim(element as Aimed, (event as SubmitEvent).submitter);
}

type Aimed = HTMLAnchorElement | HTMLAreaElement | HTMLFormElement;

function isAimed(target: EventTarget, type: string): boolean {
  return type === "submit"
    ? target instanceof HTMLFormElement
    : target instanceof HTMLAnchorElement || target instanceof HTMLAreaElement;
}

/** Changes what the browser reads at the end of the event, and changes it back. */
function aim(element: Aimed, submitter?: HTMLElement | null): void {
  const isButtons = submitter?.hasAttribute("formtarget") === true;
  const [owner, attribute] = isButtons ? [submitter!, "formtarget"] : [element, "target"];
  const before = owner.getAttribute(attribute);
  const base = document.querySelector("base[target]")?.getAttribute("target");
  const { name, restore } = inside(before ?? base ?? "");
  if (name === undefined) return;
  owner.setAttribute(attribute, name);
  setTimeout(() => {
    restore();
    if (owner.getAttribute(attribute) !== name) return;
    if (before === null) owner.removeAttribute(attribute);
    else owner.setAttribute(attribute, before);
  });
}

/** The name of the window that is meant; undefined where the browser finds the right one by itself. */
function inside(target: string): { name: string | undefined; restore(): void } {
  const restore = () => {};
  const word = target.toLowerCase();
  const wanted = word === "_top"
    ? outermost()
    : word === "_parent"
    ? isOwn(parent) ? parent : self
    : undefined;
  if (wanted === undefined) return { name: undefined, restore };
  if (wanted === self) return { name: "_self", restore };
  if (wanted.name !== "") return { name: wanted.name, restore };
  wanted.name = OUTERMOST_NAME;
  return { name: OUTERMOST_NAME, restore: () => wanted.name = "" };
}
