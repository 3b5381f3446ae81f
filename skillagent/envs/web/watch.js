// Watch: runs in every document before the page's own scripts and remembers what cannot be read off the page later:
// which elements have listeners, and which short timers are still to fire. It changes nothing that the page can see
// in its own behaviour: listeners and timers are passed on as they came.
(() => {
  const key = Symbol.for("skillagent.watch");
  if (window[key]) return;
  const listeners = new WeakMap(); // element -> Set of event types
  const native = { setTimeout: window.setTimeout.bind(window), clearTimeout: window.clearTimeout.bind(window) };
  const pending = new Map(); // timer id -> when it is due, performance.now() based
  let depth = 0; // how many timers deep the running code was started: chains of timers are polling, not work

  const add = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (type, listener, options) {
    if (listener && this instanceof Node) {
      if (!listeners.has(this)) listeners.set(this, new Set());
      listeners.get(this).add(String(type));
    }
    return add.call(this, type, listener, options);
  };

  window.setTimeout = function (callback, delay, ...args) {
    if (typeof callback !== "function") return native.setTimeout(callback, delay, ...args);
    const level = depth + 1;
    const id = native.setTimeout(() => {
      pending.delete(id);
      const before = depth;
      depth = level;
      try {
        callback.apply(window, args);
      } finally {
        depth = before;
      }
    }, delay);
    if (level <= 3 && !(delay > 1000)) pending.set(id, performance.now() + (Number(delay) || 0));
    return id;
  };
  window.clearTimeout = function (id) {
    pending.delete(id);
    return native.clearTimeout(id);
  };

  let opening = false; // a new tab was asked for since the last settle: its document comes later
  const open = window.open;
  window.open = function (...args) {
    const opened = open.apply(this, args);
    opening = opening || Boolean(opened);
    return opened;
  };
  document.addEventListener("click", (event) => {
    const link = event.composedPath().find((node) => node.tagName === "A" && node.target === "_blank" && node.href);
    if (link && !event.defaultPrevented) opening = true;
  });

  const frame = () =>
    new Promise((resolve) => {
      const timer = native.setTimeout(resolve, 40); // a tab in the background paints no frames
      requestAnimationFrame(() => {
        native.clearTimeout(timer);
        resolve();
      });
    });

  const moving = (horizon) =>
    document.getAnimations().some((animation) => {
      if (animation.playState !== "running" || !animation.effect) return false;
      const left = animation.effect.getComputedTiming().endTime - (animation.currentTime || 0);
      return left > 0 && left < horizon;
    });

  // Resolves once the pictures have come that stand for elements (`content: url(…)`): until then these have no size.
  // Each address is waited for once, for a second at most.
  const known = new Set();
  const pictures = async () => {
    const urls = new Set();
    for (const node of document.querySelectorAll("*")) {
      const [, url] = getComputedStyle(node).content.match(/^url\("(.*)"\)/) || [];
      if (url && !known.has(url)) urls.add(url);
    }
    if (!urls.size) return;
    const load = (url) => Object.assign(new Image(), { src: url }).decode();
    const late = new Promise((resolve) => native.setTimeout(resolve, 1000));
    await Promise.race([Promise.allSettled([...urls].map(load)), late]);
    urls.forEach((url) => known.add(url));
    await frame();
    await frame();
  };

  // Resolves once the page has been still for `quiet` ms with no short timer due within `horizon` ms, or after `cap` ms.
  // Returns true when it asked for a new tab.
  const settle = async ({ quiet, horizon, cap }) => {
    const start = performance.now();
    const tab = () => {
      const asked = opening;
      opening = false;
      return asked;
    };
    let [changed, still] = [-Infinity, 0]; // `still` counts frames: on a busy machine they come late
    const observer = new MutationObserver(() => ([changed, still] = [performance.now(), 0]));
    observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    try {
      await frame();
      for (;;) {
        const now = performance.now();
        if (now - start > cap) return tab();
        const due = [...pending.values()].some((when) => when < start + horizon);
        if (!due && now - changed >= quiet && still >= 2 && !moving(horizon)) {
          await pictures();
          return tab();
        }
        await frame();
        still++;
      }
    } finally {
      observer.disconnect();
    }
  };

  Object.defineProperty(window, key, { value: Object.freeze({ listeners, settle, frame }) });
})();
