// Reach: evaluated once per document with the object of look.js; finds where an element can be touched, or says why not.
// Answers are plain objects: {x, y} of a point to press, or {error} in words that the policy reads.
(page) => {
  const tidy = (text) => (text || "").replace(/\s+/g, " ").trim();

  const offset = (node) => {
    let [x, y] = [0, 0];
    for (let frame = node.ownerDocument.defaultView.frameElement; frame; frame = frame.ownerDocument.defaultView.frameElement) {
      const box = frame.getBoundingClientRect();
      [x, y] = [x + box.x + frame.clientLeft, y + box.y + frame.clientTop];
    }
    return { x, y };
  };

  const describe = (node) => {
    const role = node.getAttribute("role") || { A: "link", BUTTON: "button", svg: "drawing" }[node.tagName] || "";
    const text = tidy(node.innerText || node.getAttribute("aria-label")).slice(0, 40);
    const dialog = node.closest("[role=dialog],dialog");
    const inside = dialog && dialog !== node ? " of a dialog" : "";
    return (text ? `${role || "element"} "${text}"` : role || `another element (${node.tagName.toLowerCase()})`) + inside;
  };

  // True when pressing `hit` reaches `node`: it is the node, a part of it, or the label that stands for it.
  const reaches = (hit, node) => {
    for (let at = hit; at; at = at.parentNode || at.host) if (at === node) return true;
    const label = hit.closest && hit.closest("label");
    return Boolean(label && label.control === node);
  };

  // True when something inside of `node` would answer in its place.
  const between = (hit, node) => {
    for (let at = hit; at && at !== node; at = at.parentElement) if (page.shown(at)) return true;
    return false;
  };

  const spots = (node) => {
    const rects = [...node.getClientRects()].filter((rect) => rect.width > 0 && rect.height > 0).slice(0, 4);
    const shares = [[0.5, 0.5], [0.25, 0.25], [0.75, 0.75], [0.25, 0.75], [0.75, 0.25], [0.05, 0.5], [0.95, 0.5]];
    return rects.flatMap((rect) => shares.map(([a, b]) => [rect.x + rect.width * a, rect.y + rect.height * b]));
  };

  const alive = (id) => {
    const node = page.node(id);
    if (!node || !node.isConnected) return { error: "is gone from the page" };
    if (!node.checkVisibility({ visibilityProperty: true })) return { error: "is hidden now" };
    return { node };
  };

  const middle = (node) => {
    const seen = ({ x, y, width, height }) => x + width / 2 >= 0 && y + height / 2 >= 0 && x + width / 2 < innerWidth && y + height / 2 < innerHeight;
    if (!seen(node.getBoundingClientRect())) node.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
    const [box, at] = [node.getBoundingClientRect(), offset(node)];
    return { x: box.x + box.width / 2 + at.x, y: box.y + box.height / 2 + at.y };
  };

  // A point where the element can be pressed, scrolled into view first; with `free`, nothing may cover it there.
  const locate = (id, { enabled, free }) => {
    const { node, error } = alive(id);
    if (error) return { error };
    if (enabled && (node.matches(":disabled") || node.getAttribute("aria-disabled") === "true")) return { error: "is disabled" };
    const view = node.ownerDocument.defaultView;
    const box = node.getBoundingClientRect();
    if (!box.width && !box.height) return { error: "has no size now" };
    const root = node.getRootNode();
    if (!free) return middle(node);
    let [covering, second] = [null, null];
    for (const scrolled of [false, true]) {
      if (scrolled) node.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
      for (const [x, y] of spots(node)) {
        if (x < 0 || y < 0 || x >= view.innerWidth || y >= view.innerHeight) continue;
        const hit = root.elementFromPoint(x, y);
        const at = offset(node);
        if (hit && reaches(hit, node)) {
          if (!between(hit, node)) return { x: x + at.x, y: y + at.y };
          second = second || { x: x + at.x, y: y + at.y };
        } else covering = covering || hit;
      }
      if (second) return second;
    }
    return { error: covering ? `is covered by ${describe(covering)}` : "cannot be scrolled into view" };
  };

  // The addresses of the pictures that stand for a node or what it lies in: until they have come it has no size.
  const pictures = (node) => {
    const urls = [];
    for (let at = node; at instanceof Element; at = at.parentElement) {
      const [, url] = getComputedStyle(at).content.match(/^url\("(.*)"\)/) || [];
      if (url) urls.push(url);
    }
    return urls;
  };

  const load = (url) => Object.assign(new Image(), { src: url }).decode();

  // The same once the page has answered the mouse: where hovering asks for another picture, when that is in place. While
  // it loads the node has no size, so the mouse is not over it, so it has the first picture again, and so on: the answer
  // is there when the mouse is over it and no picture is new.
  const relocate = async (id, options) => {
    const [node, watch, known] = [page.node(id), window[Symbol.for("skillagent.watch")], new Set()];
    if (!watch || !pictures(node).length) return locate(id, options);
    for (let still = 0; still < 12; still++) {
      const urls = pictures(node).filter((url) => !known.has(url));
      if (urls.length) {
        const late = new Promise((resolve) => setTimeout(resolve, 2000));
        await Promise.race([Promise.allSettled(urls.map(load)), late]);
        urls.forEach((url) => known.add(url));
        still = 0;
      } else if (still > 1 && node.matches(":hover") && node.getBoundingClientRect().width) break;
      await watch.frame();
    }
    return locate(id, options);
  };

  const kind = (id) => {
    const { node, error } = alive(id);
    if (error) return { error };
    const typed = node.tagName === "TEXTAREA" || (node.tagName === "INPUT" && !/^(checkbox|radio|button|submit|reset|image|file)$/.test(node.type));
    const set = node.tagName === "INPUT" && /^(range|color|date|time|month|week|datetime-local)$/.test(node.type);
    return { list: node.tagName === "SELECT", typed: typed || node.isContentEditable, set, readonly: Boolean(node.readOnly), type: node.type || "" };
  };

  // Puts the cursor into the element with everything in it selected.
  const mark = (id) => {
    const node = page.node(id);
    node.focus();
    if (node.select) node.select();
    else node.ownerDocument.getSelection().selectAllChildren(node);
    return { held: node.value !== undefined ? node.value : node.innerText };
  };

  const tell = (node) => {
    node.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    node.dispatchEvent(new Event("change", { bubbles: true }));
  };

  // Patterns, not samples: a small model copies a sample as it stands.
  const FORMS = { date: "YYYY-MM-DD", time: "HH:MM, from 00:00 to 23:59", month: "YYYY-MM", week: "YYYY-Www", "datetime-local": "YYYY-MM-DDTHH:MM", color: "#rrggbb" };

  // For inputs that are set rather than typed into: a range, a colour, a date. What they do not take leaves them as is.
  const put = (id, text) => {
    const node = page.node(id);
    const set = (value) =>
      Object.getOwnPropertyDescriptor(node.ownerDocument.defaultView.HTMLInputElement.prototype, "value").set.call(node, value);
    const before = node.value;
    node.focus();
    set(text);
    if (node.value !== text) {
      set(before);
      const form = FORMS[node.type] || `a number from ${node.min || 0} to ${node.max || 100}`;
      return { error: `does not take ${JSON.stringify(text)}: it is of type ${node.type}; write it as ${form}` };
    }
    tell(node);
    return {};
  };

  const held = (id) => {
    const { node, error } = alive(id);
    return error ? { error } : { held: node.value !== undefined ? node.value : node.innerText };
  };

  const choose = (id, wanted) => {
    const node = page.node(id);
    const options = [...node.options];
    const same = (text) => tidy(text).toLowerCase() === tidy(wanted).toLowerCase();
    const option = options.find((one) => tidy(one.label) === tidy(wanted)) || options.find((one) => same(one.label)) || options.find((one) => same(one.value));
    if (!option) return { error: `has no option ${JSON.stringify(wanted)}: the options are ${options.slice(0, 40).map((one) => tidy(one.label)).join(", ")}` };
    if (option.disabled) return { error: `has the option ${JSON.stringify(wanted)}, but it is disabled` };
    node.focus();
    option.selected = node.multiple ? !option.selected : true;
    tell(node);
    return {};
  };

  const focus = (id) => {
    const { node, error } = alive(id);
    if (error) return { error };
    node.focus();
    return node.ownerDocument.activeElement === node ? {} : { error: "does not take keys: it cannot have the focus" };
  };

  const scrollable = (node, dx, dy) => {
    const style = getComputedStyle(node);
    const root = node === document.scrollingElement;
    if (dy) return node.scrollHeight > node.clientHeight + 1 && (root || /auto|scroll/.test(style.overflowY));
    return node.scrollWidth > node.clientWidth + 1 && (root || /auto|scroll/.test(style.overflowX));
  };

  // Scrolls the nearest thing around the element that can scroll, or else the page, or else the largest such part of it.
  const scroll = (id, dx, dy) => {
    let target = null;
    if (id !== null) {
      const { node, error } = alive(id);
      if (error) return { error };
      for (let at = node; at && !target; at = at.parentElement) if (scrollable(at, dx, dy)) target = at;
    }
    const all = [document.scrollingElement, ...document.querySelectorAll("body *")].filter((node) => node && scrollable(node, dx, dy));
    const area = (node) => (node === document.scrollingElement ? Infinity : node.clientWidth * node.clientHeight);
    target = target || all.sort((a, b) => area(b) - area(a))[0];
    if (!target) return { error: "nothing here can be scrolled that way" };
    const before = [target.scrollLeft, target.scrollTop];
    target.scrollBy({ left: dx * target.clientWidth * 0.8, top: dy * target.clientHeight * 0.8, behavior: "instant" });
    const moved = target.scrollLeft !== before[0] || target.scrollTop !== before[1];
    return moved ? {} : { error: "it is already at the end: nothing moved" };
  };

  return { locate, relocate, kind, mark, held, put, choose, focus, scroll };
}
