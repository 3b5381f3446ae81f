// Look: evaluated once per document; returns an object that reads the page as a tree of groups, texts and elements.
// The object lives behind a handle that the page cannot reach. Element ids are small integers given in the order of
// first sight and kept for as long as the node lives, so that the same node is always named alike.
//
// Roles and names are Chromium's own (`computedRole`, `computedName`). What it does not read is added here: listeners
// on plain elements, drawn shapes, values, and the text or row that tells unnamed or equal elements apart.
() => {
  const ids = new WeakMap();
  const nodes = new Map();
  const list = (words) => new Set(words.split(" "));
  const CONTROLS = list(
    "button link textbox searchbox combobox listbox checkbox radio switch slider spinbutton tab menuitem " +
      "menuitemcheckbox menuitemradio option treeitem DisclosureTriangle",
  );
  const GROUPS = list("dialog alertdialog group radiogroup region form navigation search toolbar");
  const PRESSES = ["click", "mousedown", "mouseup", "pointerdown", "pointerup", "dblclick", "touchstart"];
  const HOVERS = ["mouseenter", "mouseover", "mouseleave", "mouseout", "pointerenter", "pointerleave"];
  const SHAPES = list("circle ellipse rect line polyline polygon path text image use");
  const SKIPPED = list("SCRIPT STYLE NOSCRIPT TEMPLATE HEAD LINK META TITLE OPTION OPTGROUP DATALIST");
  const CORNERS = { 3: "triangle", 4: "quadrilateral", 5: "pentagon", 6: "hexagon", 7: "heptagon", 8: "octagon" };
  const INPUTS = {
    checkbox: "checkbox", radio: "radio", range: "slider", number: "spinbutton", search: "searchbox", button: "button",
    submit: "button", reset: "button", image: "button", file: "file", color: "textbox",
  };
  const PLAIN = list(
    "ui icon icons btn button widget state default corner all fa fas far glyphicon material img image span div " +
      "clickable active hover focus content header helper reset front top bottom left right draggable droppable item",
  );
  const COLOURS = {
    red: [255, 0, 0], green: [0, 128, 0], blue: [0, 0, 255], yellow: [255, 255, 0], orange: [255, 165, 0],
    purple: [128, 0, 128], magenta: [255, 0, 255], pink: [255, 192, 203], cyan: [0, 255, 255], lime: [0, 255, 0],
    olive: [128, 128, 0], brown: [165, 42, 42], black: [0, 0, 0], grey: [128, 128, 128], white: [255, 255, 255],
    navy: [0, 0, 128], teal: [0, 128, 128], maroon: [128, 0, 0], silver: [192, 192, 192],
  };

  const tidy = (text) => (text || "").replace(/[\s\u200b\ufeff]+/g, " ").trim();
  const styled = (node) => node.ownerDocument.defaultView.getComputedStyle(node);
  const heard = (node) => {
    const watch = node.ownerDocument.defaultView[Symbol.for("skillagent.watch")];
    return (watch && watch.listeners.get(node)) || new Set();
  };
  const idOf = (node) => {
    if (!ids.has(node)) {
      ids.set(node, nodes.size + 1);
      nodes.set(nodes.size + 1, node);
    }
    return ids.get(node);
  };

  // ── Colours and hints ────────────────────────────────────────────────────────────────────────────────────────────

  const colourName = (css, authored) => {
    if (/^[a-z]{3,}$/.test(authored || "") && !["none", "inherit", "initial", "unset", "transparent"].includes(authored))
      return authored;
    const parts = (css || "").match(/[\d.]+/g);
    if (!parts || parts.length < 3 || (parts.length > 3 && Number(parts[3]) === 0)) return "";
    const distance = ([r, g, b]) => (r - parts[0]) ** 2 + (g - parts[1]) ** 2 + (b - parts[2]) ** 2;
    return Object.keys(COLOURS).reduce((best, name) => (distance(COLOURS[name]) < distance(COLOURS[best]) ? name : best));
  };

  const hint = (node) => {
    const classes = typeof node.className === "string" ? node.className : "";
    const source = node.tagName === "IMG" ? (node.getAttribute("src") || "").split("/").pop().replace(/\.\w+$/, "") : "";
    const words = `${classes} ${node.id || ""} ${source}`.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase().split(/[\s_-]+/);
    return [...new Set(words.filter((word) => /^[a-z]{2,}$/.test(word) && !PLAIN.has(word)))].slice(0, 3).join(" ");
  };

  // ── One element ──────────────────────────────────────────────────────────────────────────────────────────────────

  const roleOf = (node) => {
    const asked = node.getAttribute("role");
    if (node.tagName === "INPUT") return asked === "switch" ? asked : INPUTS[node.type] || "textbox";
    if (node.tagName === "TEXTAREA") return "textbox";
    if (node.tagName === "SELECT") return node.multiple || node.size > 1 ? "listbox" : "combobox";
    if (node.isContentEditable && !(node.parentElement && node.parentElement.isContentEditable)) return "textbox";
    const role = node.computedRole || asked || { A: node.href ? "link" : "", BUTTON: "button" }[node.tagName] || "";
    return node.tagName === "SUMMARY" ? "DisclosureTriangle" : role;
  };

  const valueOf = (node, role) => {
    if (node.tagName === "SELECT") return [...node.selectedOptions].map((option) => tidy(option.label)).join(", ");
    if (node.type === "password") return "•".repeat(node.value.length);
    if (["checkbox", "radio", "button", "file"].includes(role)) return null;
    if (node.tagName === "INPUT" || node.tagName === "TEXTAREA") return node.value;
    if (role === "textbox") return tidy(node.innerText);
    return ["slider", "spinbutton"].includes(role) ? node.getAttribute("aria-valuenow") : null;
  };

  const statesOf = (node, role) => {
    const is = (name) => node.getAttribute(`aria-${name}`) === "true";
    const states = [];
    if (["checkbox", "radio", "switch"].includes(role) || role.startsWith("menuitem"))
      if ("checked" in node ? node.checked : is("checked")) states.push("checked");
    if (is("selected")) states.push("selected");
    if (is("pressed")) states.push("pressed");
    if (node.matches(":disabled") || is("disabled")) states.push("disabled");
    if (node.readOnly && role !== "checkbox" && role !== "radio") states.push("readonly");
    if (role === "DisclosureTriangle") states.push(node.parentElement.open ? "expanded" : "collapsed");
    else if (node.hasAttribute("aria-expanded")) states.push(is("expanded") ? "expanded" : "collapsed");
    if (draggable(node)) states.push("draggable");
    if (node.ownerDocument.activeElement === node && node !== node.ownerDocument.body) states.push("focused");
    return states;
  };

  const draggable = (node) =>
    node.getAttribute("draggable") === "true" || (node.classList && node.classList.contains("ui-draggable"));

  // True when a plain element answers to the mouse: it has a listener, a focus stop, or its own pointing cursor.
  const answers = (node) => {
    if (["HTML", "BODY", "LABEL", "IFRAME"].includes(node.tagName)) return false;
    const types = heard(node);
    if (PRESSES.some((type) => types.has(type)) || typeof node.onclick === "function") return true;
    if (typeof node.onmousedown === "function" || draggable(node)) return true;
    if (node.hasAttribute("tabindex") && node.tabIndex >= 0) return true;
    const cursor = styled(node).cursor;
    if (!["pointer", "grab", "move", "crosshair"].includes(cursor)) return false;
    return !node.parentElement || styled(node.parentElement).cursor !== cursor;
  };

  const shownBox = (node, at) => {
    const box = node.getBoundingClientRect();
    return [box.x + at.x, box.y + at.y, box.width, box.height].map((n) => Math.round(n * 10) / 10);
  };

  // ── The walk ─────────────────────────────────────────────────────────────────────────────────────────────────────

  const look = ({ exclude, limit }) => {
    const found = []; // every element that can be named, with its node
    const texts = []; // visible texts with their boxes, for naming what has no name
    let visited = 0;
    const view = { width: window.innerWidth, height: window.innerHeight };
    const inView = ([x, y, w, h]) => x + w > 0 && y + h > 0 && x < view.width && y < view.height;

    const element = (node, role, at, rest) => {
      const box = shownBox(node, at);
      const one = { k: idOf(node), r: role, n: "", v: null, s: statesOf(node, role), b: box, i: inView(box), ...rest };
      found.push({ node, one });
      return one;
    };

    const children = (node, at, context) => {
      const root = node.shadowRoot || node;
      const kids = node.tagName === "SLOT" ? node.assignedNodes({ flatten: true }) : root.childNodes;
      return [...(kids.length || node.tagName !== "SLOT" ? kids : node.childNodes)].flatMap((kid) => visit(kid, at, context));
    };

    const readText = (node, at, context) => {
      const text = tidy(node.data);
      if (!text || !node.parentElement.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return [];
      const range = node.ownerDocument.createRange();
      range.selectNodeContents(node);
      const rect = range.getBoundingClientRect();
      if (rect.width === 0 || rect.height === 0) return [];
      const box = [rect.x + at.x, rect.y + at.y, rect.width, rect.height];
      texts.push({ text, box, node });
      if (context.named && context.named.includes(text)) return [];
      return [{ t: text, i: inView(box) }];
    };

    // A control is a leaf unless it holds others that are not merely its own parts.
    const readControl = (node, role, at) => {
      const box = shownBox(node, at);
      const label = node.labels && node.labels[0];
      const usable = node.checkVisibility({ visibilityProperty: true }) && box[2] > 0 && box[3] > 0;
      if (!usable && !(label && /^(checkbox|radio|switch)$/.test(role) && label.checkVisibility())) return [];
      const one = element(usable ? node : label, role, at, { s: statesOf(node, role), v: valueOf(node, role) });
      one.n = tidy(node.computedName !== undefined ? node.computedName : node.getAttribute("aria-label") || node.innerText);
      if (role === "DisclosureTriangle") one.r = "button";
      if (node.tagName === "SELECT")
        one.o = [...node.options].filter((option) => !option.disabled).map((option) => tidy(option.label));
      if (node.tagName === "INPUT" && ["date", "time", "month", "week", "datetime-local", "color"].includes(node.type))
        one.h = node.type;
      if (!one.n && /^(button|link|tab|menuitem|option|treeitem|listitem)$/.test(one.r))
        one.n = tidy(node.innerText) || hint(node) || tidy([...node.children].map(hint).join(" "));
      if (["INPUT", "TEXTAREA", "SELECT"].includes(node.tagName) || role === "textbox") return [one];
      const from = found.length;
      const inner = children(node, at, { named: one.n, quiet: true });
      const others = found.slice(from).filter((other) => other.one.n && !one.n.includes(other.one.n) || CONTROLS.has(other.one.r) && other.one.r !== "link");
      if (!others.length) found.length = from;
      else one.c = inner;
      return [one];
    };

    const readClickable = (node, role, at, context) => {
      const from = found.length;
      const one = element(node, CONTROLS.has(role) || role === "img" ? role : "clickable", at, {});
      const inner = children(node, at, { ...context, pointed: true });
      const parts = found.slice(from + 1);
      const loose = inner.some((part) => part && part.t);
      if (parts.length === 1 && !loose && one.r === "clickable" && !draggable(node)) {
        found.splice(from, 1);
        return inner;
      }
      const whole = tidy(node.innerText);
      if (!one.b[2] || !one.b[3]) {
        found.splice(from, 1);
        return inner;
      }
      if (parts.length === 0) {
        const colour = colourName(styled(node).backgroundColor, node.style && node.style.backgroundColor);
        one.n = tidy(node.computedName) || whole || [colour, hint(node)].filter(Boolean).join(" ");
        return [one];
      }
      const large = one.b[2] * one.b[3] > 0.6 * view.width * view.height;
      if (large && node.tagName !== "CANVAS" && parts.some((part) => CONTROLS.has(part.one.r))) {
        found.splice(from, 1);
        return inner; // a listener on the whole page stands for its parts
      }
      one.n = node.getAttribute("aria-label") || "";
      one.c = inner;
      return [one];
    };

    // Inside something clickable every block of plain text can be pointed at: one listener may serve many rows.
    const pointable = (node, role, inner, at) => {
      const text = tidy(node.innerText);
      return [element(node, role === "listitem" || role === "cell" ? role : "text", at, { n: text })];
    };

    const shape = (node, at, sizes) => {
      const style = styled(node);
      const box = shownBox(node, at);
      const tag = node.tagName.toLowerCase();
      const filled = tag !== "line" && style.fill !== "none" && !/, 0\)$/.test(style.fill);
      const attribute = filled ? "fill" : "stroke";
      if (!filled && style.stroke === "none" && tag !== "image") return [];
      if (!node.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return [];
      const colour = colourName(style[attribute], node.style[attribute] || node.getAttribute(attribute));
      const text = tag === "text" ? tidy(node.textContent) : tidy(node.getAttribute("aria-label") || (node.querySelector("title") || {}).textContent);
      const corners = node.points ? CORNERS[node.points.length] || `${tag} with ${node.points.length} corners` : "";
      const kind = { text: text.length > 1 ? "text" : /\d/.test(text) ? "digit" : "letter", rect: "rectangle", polygon: corners }[tag] || tag;
      const one = element(node, kind, at, { n: text, a: true });
      one.s = [colour, ...(filled || tag === "line" ? [] : ["outline"]), ...one.s].filter(Boolean);
      if (tag === "line") {
        const [matrix, ends] = [node.getScreenCTM(), []];
        for (const end of ["1", "2"]) {
          const point = new DOMPoint(node[`x${end}`].baseVal.value, node[`y${end}`].baseVal.value).matrixTransform(matrix);
          ends.push(`${Math.round(point.x + at.x)},${Math.round(point.y + at.y)}`);
        }
        one.h = `from ${ends[0]} to ${ends[1]}`;
      }
      sizes.push([one, tag === "text" ? parseFloat(style.fontSize) : Math.max(box[2], box[3])]);
      return [one];
    };

    const readDrawing = (node, at, context) => {
      const shapes = [...node.querySelectorAll("*")].filter((part) => SHAPES.has(part.tagName.toLowerCase()) && !part.closest("defs"));
      const box = shownBox(node, at);
      const live = answers(node) || shapes.some((part) => answers(part) || HOVERS.some((type) => heard(part).has(type)));
      if (context.quiet || (!live && Math.max(box[2], box[3]) <= 40)) return [];
      const one = element(node, "drawing", at, { n: tidy(node.computedName), a: true });
      const sizes = [];
      one.c = shapes.slice(0, 120).flatMap((part) => shape(part, at, sizes));
      for (const drawn of [sizes.filter(([part]) => /^(text|digit|letter)$/.test(part.r)), sizes.filter(([part]) => !/^(text|digit|letter|line|path)$/.test(part.r))]) {
        const all = sizes.length === drawn.length ? drawn : sizes.filter(([part]) => !/^(line|path)$/.test(part.r));
        const [low, high] = [Math.min(...all.map((pair) => pair[1])), Math.max(...all.map((pair) => pair[1]))];
        if (high >= 1.5 * low) for (const [part, size] of drawn) part.s.splice(1, 0, size * size > low * high ? "large" : "small");
      }
      return [one];
    };

    const readFrame = (node, at) => {
      const box = node.getBoundingClientRect();
      if (!box.width || !box.height) return [];
      try {
        const inside = { x: at.x + box.x + node.clientLeft, y: at.y + box.y + node.clientTop };
        return [{ g: "frame", n: tidy(node.title), c: visit(node.contentDocument.body, inside, {}) }];
      } catch {
        return [{ t: "(a frame of another site: it cannot be read)", i: true }];
      }
    };

    const visit = (node, at, context) => {
      if (node.nodeType === 3) return readText(node, at, context);
      if (node.nodeType !== 1 || SKIPPED.has(node.tagName) || visited++ > limit) return [];
      if (exclude && node.matches(exclude)) return [];
      const tag = node.tagName;
      if (tag === "BR" || tag === "HR") return [null];
      const style = styled(node);
      if (style.display === "none") {
        const hidden = tag === "INPUT" && node.labels && node.labels[0];
        return hidden ? readControl(node, roleOf(node), at) : [];
      }
      if (tag === "IFRAME") return readFrame(node, at);
      if (tag === "svg") return readDrawing(node, at, context);
      const role = roleOf(node);
      if (CONTROLS.has(role) || role === "file") return readControl(node, role, at);
      if (tag === "CANVAS") return [null, element(node, "canvas", at, { n: tidy(node.computedName), a: true }), null];
      const clickable = answers(node) || (HOVERS.some((type) => heard(node).has(type)) && !node.children.length);
      const block = !/^(inline|contents)/.test(style.display);
      const wrap = (parts) => (block ? [null, ...parts, null] : parts);
      if (clickable) return wrap(readClickable(node, role, at, context));
      if (node.getAttribute("aria-hidden") === "true" && !node.querySelector("a,button,input,select,textarea,[onclick]")) return [];
      if (tag === "LABEL" && node.control) context = { ...context, named: tidy(node.control.computedName) };
      const inner = children(node, at, context);
      if (context.pointed && block && inner.length && inner.every((part) => !part || part.t)) return wrap(pointable(node, role, inner, at));
      if (tag === "IMG") {
        const name = tidy(node.computedName);
        return name ? [{ t: `image "${name}"`, i: inView(shownBox(node, at)) }] : [];
      }
      if (role === "row" || role === "heading") return [{ g: role, n: "", c: inner }];
      if (role === "listitem" || role === "cell" || role === "columnheader" || role === "rowheader" || role === "gridcell")
        return [{ g: role === "listitem" ? "item" : "cell", n: "", c: inner }];
      if (GROUPS.has(role) && (node.computedName || role.endsWith("dialog")))
        return [{ g: role, n: tidy(node.computedName), c: inner }];
      return wrap(inner);
    };

    const tree = document.body ? visit(document.body, { x: 0, y: 0 }, {}) : [];
    nearBy(found, texts);
    within(found);
    const page = document.scrollingElement || document.documentElement;
    const scroll = { above: Math.round(page.scrollTop), below: Math.round(page.scrollHeight - page.scrollTop - page.clientHeight) };
    return { tree, title: document.title, scroll, view };
  };

  // ── Telling elements apart ───────────────────────────────────────────────────────────────────────────────────────

  // Gives controls without a name the closest visible text: to the right of a box to tick, else to the left or above.
  const nearBy = (found, texts) => {
    for (const { node, one } of found) {
      if (one.n || one.a || one.c || !one.b) continue;
      const [x, y, w, h] = one.b;
      const ticks = one.r === "checkbox" || one.r === "radio";
      let best = [160, ""];
      for (const { text, box: [tx, ty, tw, th], node: source } of texts) {
        if (node.contains(source)) continue;
        const dx = Math.max(tx - (x + w), x - (tx + tw), 0);
        const dy = Math.max(ty - (y + h), y - (ty + th), 0);
        const after = tx >= x + w - 1 || ty >= y + h - 1;
        const cost = dx + 2 * dy + (after === ticks ? 0 : 40);
        if (cost < best[0]) best = [cost, text];
      }
      one.near = best[1].slice(0, 60);
    }
  };

  // Where several elements look alike, says what stands in the largest surroundings that each has to itself.
  const within = (found) => {
    const alike = new Map();
    for (const entry of found) {
      const { one } = entry;
      if (one.a || one.c) continue;
      const key = `${one.r}|${one.n}|${one.near || ""}`;
      alike.set(key, [...(alike.get(key) || []), entry]);
    }
    for (const group of alike.values()) {
      if (group.length < 2) continue;
      for (const { node, one } of group) {
        let around = node;
        const alone = (place) => group.every((other) => other.node === node || !place.contains(other.node));
        while (around.parentElement && alone(around.parentElement)) around = around.parentElement;
        const text = around === node ? "" : tidy(around.innerText);
        if (text && text !== one.n) one.w = text.slice(0, 40);
      }
    }
  };

  return { look, node: (id) => nodes.get(id), idOf };
}
