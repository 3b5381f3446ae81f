// Look: evaluated once per document; returns an object that reads the page as a tree of groups, texts and elements.
// The object lives behind a handle that the page cannot reach. Element ids are small integers given in the order of
// first sight and kept for as long as the node lives, so that the same node is always named alike.
//
// Roles and names are Chromium's own (`computedRole`, `computedName`). What it does not read is added here: listeners
// on plain elements, drawn shapes, values, and the text or row that tells unnamed or equal elements apart.
() => {
  const ids = new WeakMap();
  const nodes = new Map();
  let shown = new Set(); // the nodes that the last look named
  const list = (words) => new Set(words.split(" "));
  const CONTROLS = list(
    "button link textbox searchbox combobox listbox checkbox radio switch slider spinbutton tab menuitem " +
      "menuitemcheckbox menuitemradio option treeitem DisclosureTriangle",
  );
  const FIELDS = list("textbox searchbox combobox listbox checkbox radio switch slider spinbutton file");
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
    "255,0,0": "red", "0,128,0": "green", "0,0,255": "blue", "255,255,0": "yellow", "255,165,0": "orange", "0,255,0": "lime",
    "128,0,128": "purple", "255,0,255": "magenta", "255,192,203": "pink", "0,255,255": "cyan", "128,128,0": "olive",
    "165,42,42": "brown", "0,0,128": "navy", "0,128,128": "teal", "128,0,0": "maroon", "192,192,192": "silver",
  };
  const HUES = [[15, "red"], [45, "orange"], [70, "yellow"], [165, "green"], [200, "cyan"], [260, "blue"], [290, "purple"], [345, "pink"], [361, "red"]];

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
    const parts = ((css || "").match(/[\d.]+/g) || []).map(Number);
    if (parts.length < 3 || (parts.length > 3 && parts[3] === 0)) return "";
    const [r, g, b] = parts;
    const [high, low] = [Math.max(r, g, b), Math.min(r, g, b)];
    if (COLOURS[`${r},${g},${b}`]) return COLOURS[`${r},${g},${b}`];
    if (high - low < 24) return high < 50 ? "black" : low > 225 ? "white" : "grey";
    const turn = high === r ? ((g - b) / (high - low) + 6) % 6 : high === g ? (b - r) / (high - low) + 2 : (r - g) / (high - low) + 4;
    return HUES.find(([end]) => turn * 60 < end)[1];
  };

  const hint = (node) => {
    const classes = typeof node.className === "string" ? node.className : "";
    const source = node.tagName === "IMG" ? (node.getAttribute("src") || "").split("/").pop().replace(/\.\w+$/, "") : "";
    const words = `${classes} ${node.id || ""} ${source}`.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase().split(/[\s_-]+/);
    return [...new Set(words.filter((word) => /^[a-z]+$/.test(word) && !PLAIN.has(word)))].slice(0, 3).join(" ");
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
    const style = styled(node);
    if (/-resize$/.test(style.cursor)) return /^(se|nwse|col|row)-/.test(style.cursor); // one corner stands for eight
    const types = heard(node);
    if (PRESSES.some((type) => types.has(type)) || typeof node.onclick === "function") return true;
    if (typeof node.onmousedown === "function" || draggable(node)) return true;
    if (node.hasAttribute("tabindex") && node.tabIndex >= 0) return true;
    const cursor = style.cursor;
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
    let [visited, order] = [0, 0];
    const view = { width: window.innerWidth, height: window.innerHeight };
    const inView = ([x, y, w, h]) => x + w > 0 && y + h > 0 && x < view.width && y < view.height;

    const element = (node, role, at, rest) => {
      const box = shownBox(node, at);
      const one = { k: idOf(node), r: role, n: "", v: null, s: statesOf(node, role), b: box, i: inView(box), ...rest };
      found.push({ node, one, order: order++ });
      return one;
    };

    const children = (node, at, context) => {
      const root = node.shadowRoot || node;
      if (node.tagName === "DETAILS" && !node.open) return [...node.querySelectorAll(":scope > summary")].flatMap((kid) => visit(kid, at, context));
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
      const part = { t: text, i: inView(box) };
      if (!context.quiet && !context.named) texts.push({ text, node, part, own: Boolean(context.own), order: order++ });
      return context.named && context.named.includes(text) ? [] : [part];
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

    const blocksOf = (parts) =>
      parts.reduce((count, part, at) => count + (!part ? 0 : part.g ? blocksOf(part.c) : part.t && !(parts[at - 1] || {}).t ? 1 : 0), 0);

    const readClickable = (node, role, at, context) => {
      const [from, told] = [found.length, texts.length];
      const dialog = role.endsWith("dialog");
      const one = element(node, CONTROLS.has(role) || dialog || role === "img" ? role : "clickable", at, {});
      let inner = children(node, at, { ...context, own: !dialog });
      const drop = () => {
        found.splice(from, 1);
        return inner;
      };
      const blocks = blocksOf(inner);
      if (found.length === from + 1 && blocks > 1) {
        [found.length, texts.length] = [from + 1, told]; // one listener serves many rows: each can be pointed at
        inner = children(node, at, { ...context, pointed: true });
      }
      const parts = found.slice(from + 1);
      if (!one.b[2] || !one.b[3]) return drop();
      if (parts.length === 0) {
        const authored = node.style && node.style.backgroundColor;
        const colour = authored ? colourName(styled(node).backgroundColor, authored) : "";
        one.n = tidy(node.computedName) || tidy(node.innerText) || colour || hint(node) || colourName(styled(node).backgroundColor);
        return [one];
      }
      const loose = inner.filter((part) => part && part.t).map((part) => part.t);
      if (!dialog && !draggable(node) && (!loose.length || parts.some((part) => part.one.r === "text"))) return drop();
      if (!dialog && one.b[2] * one.b[3] > 0.6 * view.width * view.height) return drop();
      const said = loose.join(" ");
      one.n = dialog ? tidy(node.computedName) : node.getAttribute("aria-label") || said.slice(0, 80);
      one.c = !dialog && said.length <= 80 ? inner.filter((part) => !part || !part.t) : inner;
      return [one];
    };

    // Inside something clickable every block of plain text can be pointed at: one listener may serve many rows.
    const pointable = (node, role, inner, at) => {
      return [element(node, role === "listitem" || role === "cell" ? role : "text", at, { n: tidy(node.innerText) })];
    };

    const shape = (node, at, sizes) => {
      const style = styled(node);
      const box = shownBox(node, at);
      const tag = node.tagName.toLowerCase();
      const filled = tag !== "line" && style.fill !== "none" && !/^rgba.*, 0\)$/.test(style.fill);
      const attribute = filled ? "fill" : "stroke";
      if (!filled && style.stroke === "none" && tag !== "image") return [];
      if (!node.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return [];
      if (Math.max(box[2], box[3]) < 2) return [];
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

    // An empty box with a colour or border of its own is something to see and to count.
    const readBox = (node, style, at) => {
      const box = shownBox(node, at);
      const colour = colourName(style.backgroundColor);
      if (Math.min(box[2], box[3]) < 4 || Math.max(box[2], box[3]) > 60 || (!colour && style.borderTopWidth === "0px")) return [];
      return node.checkVisibility({ visibilityProperty: true, opacityProperty: true }) ? [{ t: `${colour || "empty"} box`, x: 1, i: inView(box) }] : [];
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
      const clickable = answers(node) || (!/-resize$/.test(style.cursor) && HOVERS.some((type) => heard(node).has(type)) && !node.children.length);
      const block = !/^(inline|contents)/.test(style.display);
      const wrap = (parts) => (block ? [null, ...parts, null] : parts);
      if (clickable) return wrap(readClickable(node, role, at, context));
      if (node.getAttribute("aria-hidden") === "true" && !node.querySelector("a,button,input,select,textarea,[onclick]")) return [];
      if (tag === "LABEL" && node.control) context = { ...context, named: tidy(node.control.computedName) };
      if (!node.childNodes.length && !node.shadowRoot && tag !== "IMG") return wrap(readBox(node, style, at));
      const inner = children(node, at, context);
      if (context.pointed && block && inner.length && inner.every((part) => !part || part.t)) return wrap(pointable(node, role, inner, at));
      if (tag === "IMG") {
        const name = tidy(node.computedName);
        return name ? [{ t: `image "${name}"`, i: inView(shownBox(node, at)) }] : [];
      }
      if (role === "row" || tag === "TR") return [{ g: "row", n: "", c: inner }];
      if (role === "heading") return [{ g: role, n: "", c: inner }];
      if (role === "listitem" || tag === "TD" || tag === "TH" || role === "cell" || role === "columnheader" || role === "rowheader" || role === "gridcell")
        return [{ g: role === "listitem" ? "item" : "cell", n: "", c: inner }];
      if (GROUPS.has(role) && (node.computedName || role.endsWith("dialog")))
        return [{ g: role, n: tidy(node.computedName), c: inner }];
      return wrap(inner);
    };

    const tree = document.body ? visit(document.body, { x: 0, y: 0 }, {}) : [];
    nearBy(found, texts);
    within(found, texts);
    shown = new Set(found.map(({ node }) => node));
    const page = document.scrollingElement || document.documentElement;
    const scroll = { above: Math.round(page.scrollTop), below: Math.round(page.scrollHeight - page.scrollTop - page.clientHeight) };
    return { tree, title: document.title, scroll, view };
  };

  // ── Telling elements apart ───────────────────────────────────────────────────────────────────────────────────────

  // Gives fields without a name the text that belongs to them: what shares their own surroundings, else what comes
  // right before them, or right after where they are boxes to tick.
  const nearBy = (found, texts) => {
    const fields = found.filter(({ one }) => FIELDS.has(one.r));
    for (const [index, { node, one, order }] of fields.entries()) {
      if (one.n) continue;
      let place = node.parentElement;
      for (let depth = 0; depth < 2 && place && !one.near; depth++, place = place.parentElement) {
        if (fields.some((other) => other.node !== node && place.contains(other.node))) break;
        const said = texts.filter((text) => place.contains(text.node));
        if (said.length !== 1 || said[0].text.length > 60) continue;
        one.near = said[0].text;
        said[0].part.u = true; // it is told with the field, and not again
      }
      const [before, after] = [fields[index - 1], fields[index + 1]].map((field) => (field ? field.order : null));
      const ticks = one.r === "checkbox" || one.r === "radio";
      const beside = ticks
        ? texts.find((said) => said.order > order && (after === null || said.order < after))
        : texts.findLast((said) => said.order < order && (before === null || said.order > before));
      if (one.near || !beside || beside.text.length > 60 || !close(node, beside.node.parentElement)) continue;
      const row = beside.node.parentElement.closest("tr");
      if (row && !row.contains(node)) continue; // what a table says is not the label of a field below it
      one.near = beside.text;
      if (beside.node.parentElement.tagName === "LABEL" || beside.text.endsWith(":")) beside.part.u = true;
    }
  };

  const close = (node, other) => {
    const [a, b] = [node.getBoundingClientRect(), other.getBoundingClientRect()];
    return Math.max(b.top - a.bottom, a.top - b.bottom) < 60;
  };

  // Where several elements look alike, says what stands in the largest surroundings that each has to itself; where
  // nothing does, their places have to tell them apart.
  const within = (found, texts) => {
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
        const said = texts.filter((text) => !text.own && around.contains(text.node)).map((text) => text.text).join(" ");
        const text = around === node ? "" : said || tidy(around.innerText);
        if (text && text !== one.n) [one.w, one.wi] = [text.slice(0, 40).trim(), idOf(around)];
        else one.p = true;
      }
    }
  };

  return { look, node: (id) => nodes.get(id), shown: (node) => shown.has(node) };
}
