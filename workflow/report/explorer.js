"use strict";
/* The passage explorer. Data come as columns from the page itself; every value is put in as text.

   Filters run over arrays of numbers, one entry a passage, and only the rows in sight are in the
   page, so that 50,000 passages stay smooth. What is chosen stands in the address behind the #, so
   that a link (a cell of a table) can choose it and the way back leads through it. */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { sources, passages, codes, cues, groups, periods, coders, prose } = data;
  const total = passages.id.length;
  const MILLION = 1e6;
  const PRINTED = 200; // passages of a list that are printed
  const LINES = 500; // key words that are shown
  const CONTEXT = 60; // characters on either side of a key word
  const LONGEST = 90; // characters of a title in a menu
  const MANY = 6; // colours for codes
  const count = new Intl.NumberFormat("en");

  // --- small helpers -----------------------------------------------------------------------------

  const at = (id) => document.getElementById(id);

  /** Make an element; children are nodes or texts. False and null attributes are left out. */
  function make(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== false && value !== null) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children);
    return node;
  }

  const cut = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
  const plural = (number, one) => `${count.format(number)} ${one}${number === 1 ? "" : "s"}`;
  const places = (column) => Uint8Array.from(column, (sign) => Number(sign === "1"));
  const decimal = (millionths) => (millionths / MILLION).toFixed(data.decimals);

  function later(action, wait) {
    let timer = 0;
    return () => {
      clearTimeout(timer);
      timer = setTimeout(action, wait);
    };
  }

  // --- columns -----------------------------------------------------------------------------------

  const sourceOf = Int32Array.from(passages.source);
  const placeOf = new Map(passages.id.map((id, place) => [id, place]));
  const sourcePlace = new Map(sources.id.map((id, place) => [id, place]));
  const codePlace = new Map(codes.map((code, place) => [code.id, place]));
  const cuePlace = new Map(cues.map((cue, place) => [cue.id, place]));
  const framed = places(passages.framed);
  const lowered = sources.id.map((id, place) =>
    [id, sources.title[place], sources.speaker[place]].join("\n").toLowerCase());
  const first = new Int32Array(sources.id.length + 1).fill(total);
  for (let place = total - 1; place >= 0; place -= 1) first[sourceOf[place]] = place;

  const hitsFrom = new Int32Array(total + 1);
  data.hits.number.forEach((number, place) => { hitsFrom[place + 1] = hitsFrom[place] + number; });

  /** What a passage's part can be asked for: read, unread, or not coded (held out or not); judged: by
   * which the classifier is judged, the unread ones where there are any, else the read ones. */
  const PARTS = { read: "r", unread: "u", "not coded": "nh",
    judged: passages.part.includes("u") ? "u" : "r" };
  const HELD_OUT = "This passage awaits its coding in a draw for confirmation: until then nobody is to look at it, so that its text, scores and cues are not shown.";
  const heldOut = (row) => passages.part[row] === "h";

  const VALUE = { 0: 0, n: 0, 1: 1, y: 1 };
  /** Return which passages coders of a code do not agree on. */
  function divided(code) {
    const apart = new Uint8Array(total);
    for (let place = 0; place < total; place += 1) {
      let no = false;
      let yes = false;
      for (const column of code.coded) {
        if (VALUE[column[place]] === 1) yes = true;
        else if (VALUE[column[place]] === 0) no = true;
      }
      apart[place] = Number(no && yes);
    }
    return apart;
  }

  const columns = codes.map((code) => ({
    probability: Int32Array.from(code.probability),
    decision: places(code.decision),
    // -1 where nobody coded the passage
    label: Int8Array.from(code.label_of, (sign) => (sign === "." ? -1 : Number(sign))),
    apart: divided(code),
    unlike: new Uint8Array(total),
  }));
  codes.forEach((code, place) => {
    for (const part of code.parts) {
      const of = columns[part].apart;
      columns[place].apart.forEach((apart, row) => { if (of[row]) columns[place].apart[row] = 1; });
    }
  });
  for (const own of columns) {
    for (let row = 0; row < total; row += 1) {
      own.unlike[row] = Number(own.label[row] >= 0 && own.label[row] !== own.decision[row]);
    }
  }
  const simple = codes.map((code, place) => place).filter((place) => codes[place].parts.length === 0);
  /** Any code: found where one of the codes is, with the highest of their probabilities. */
  const any = {
    probability: new Int32Array(total), decision: new Uint8Array(total),
    label: new Int8Array(total).fill(-1), apart: new Uint8Array(total), unlike: new Uint8Array(total),
  };
  for (const place of simple) {
    for (const [name, column] of Object.entries(any)) {
      const own = columns[place][name];
      for (let row = 0; row < total; row += 1) if (own[row] > column[row]) column[row] = own[row];
    }
  }
  const tint = (place) => `tint-${place % MANY}`;

  // --- what is chosen ----------------------------------------------------------------------------

  const MENUS = ["group", "period", "source", "code", "is", "coded", "disagree", "cue", "frame",
    "part", "case", "sort"];
  const FIELDS = ["q", ...MENUS, "from", "to"];
  const VIEWS = ["passages", "source", "words"].filter((view) => at(`view-${view}`) && (view !== "words" || prose));
  const OTHERS = ["view", "passage", "whole", "shade", "by", "find"];
  let state = {};
  let rows = new Int32Array(0);
  let active = -1;

  function option(value, label) {
    return make("option", { value }, cut(label));
  }

  function fillMenus() {
    const menus = {
      group: [["", "all groups"], ...groups],
      period: [["", "all periods"], ...periods],
      code: [["", "any code"], ...codes.map((code) => [code.id, code.label])],
      cue: [["", "any cue, or none"], ...cues.map((cue) => [cue.id, cue.id])],
    };
    const named = sources.id.map((id, place) => [id, sourceLine(place)]);
    menus.source = [["", "all sources"], ...named];
    menus.whole = named;
    menus.shade = [["", "all codes"], ...codes.map((code) => [code.id, code.label])];
    for (const [id, entries] of Object.entries(menus)) {
      at(id).append(...entries.map(([value, label]) => option(value, label)));
    }
  }

  function sourceLine(place) {
    const who = sources.speaker[place];
    const when = sources.date[place];
    return `${who ? `${who}, ` : ""}${sources.title[place]}${when ? ` (${when})` : ""}`;
  }

  /** Read what the address asks for; what it cannot mean is left out. */
  function readAddress() {
    const asked = new URLSearchParams(location.hash.slice(1));
    const found = {};
    for (const name of [...FIELDS, ...OTHERS]) {
      const value = asked.get(name);
      if (value) found[name] = value;
    }
    for (const name of [...MENUS, "whole", "shade", "by"]) {
      if (found[name] && ![...at(name).options].some((each) => each.value === found[name])) {
        delete found[name];
      }
    }
    for (const name of ["from", "to"]) {
      if (found[name] && !Number.isFinite(Number(found[name]))) delete found[name];
    }
    if (!VIEWS.includes(found.view)) delete found.view;
    if (found.passage && !placeOf.has(found.passage)) delete found.passage;
    return found;
  }

  function writeAddress(push) {
    const asked = new URLSearchParams();
    for (const name of [...FIELDS, ...OTHERS]) if (state[name]) asked.set(name, state[name]);
    const hash = `#${asked}`;
    if (hash === (location.hash || "#")) return;
    if (push) history.pushState(null, "", hash);
    else history.replaceState(null, "", hash);
  }

  function showFields() {
    for (const name of FIELDS) at(name).value = state[name] || "";
    for (const name of ["shade", "by"]) at(name).value = state[name] || "";
    if (prose) at("find").value = state.find || "";
    const chosen = FIELDS.filter((name) => name !== "sort" && state[name]).length;
    at("active").textContent = chosen ? `(${chosen} in use)` : "";
  }

  // --- filters -----------------------------------------------------------------------------------

  /** Return which sources pass the filters on sources (0 or 1 each). */
  function sourcesAsked(asked) {
    const group = groups.findIndex(([id]) => id === asked.group);
    const period = periods.findIndex(([id]) => id === asked.period);
    return Uint8Array.from(sources.id, (id, place) => Number(
      (!asked.group || sources.group[place] === group)
      && (!asked.period || sources.period[place] === period)
      && (!asked.source || id === asked.source)
      && (asked.case !== "no" || id !== data.case)));
  }

  function withCue(cue) {
    const found = new Uint8Array(total);
    for (let place = 0; place < total; place += 1) {
      for (let hit = hitsFrom[place]; hit < hitsFrom[place + 1]; hit += 1) {
        if (data.hits.cue[hit] === cue) found[place] = 1;
      }
    }
    return found;
  }

  /** Say whether any passage of the sources that fit is in the sampled frame. */
  function framedIn(fit) {
    for (let row = 0; row < total; row += 1) if (framed[row] === 1 && fit[sourceOf[row]]) return true;
    return false;
  }

  /** Return the passages that pass all filters, in the order asked for. */
  function matching(asked) {
    const own = asked.code ? columns[codePlace.get(asked.code)] : any;
    const fit = sourcesAsked(asked);
    const words = (asked.q || "").toLowerCase().trim();
    const aboutCodes = Boolean(asked.is || asked.from || asked.to);
    const named = words && Uint8Array.from(lowered, (text) => Number(text.includes(words)));
    const cue = asked.cue ? withCue(cuePlace.get(asked.cue)) : null;
    const least = asked.from ? Math.round(Number(asked.from) * MILLION) : 0;
    const below = asked.to && Number(asked.to) < 1 ? Math.round(Number(asked.to) * MILLION) : Infinity;
    const wanted = { yes: 1, no: 0 };
    const part = PARTS[asked.part];
    const coded = wanted[asked.coded];
    const apart = wanted[asked.disagree];
    // A cell counts what is in the sampled frame; where nothing is, the classifier counts the rest.
    const inside = asked.frame === "cell" ? (framedIn(fit) ? 1 : undefined) : wanted[asked.frame];
    const { probability, decision, label, unlike } = own;
    const is = {
      marked: (row) => decision[row] === 1,
      unmarked: (row) => decision[row] === 0,
      carried: (row) => label[row] === 1,
      lacking: (row) => label[row] === 0,
      unlike: (row) => unlike[row] === 1,
    }[asked.is] || null;
    const found = new Int32Array(total);
    let number = 0;
    for (let row = 0; row < total; row += 1) {
      const source = sourceOf[row];
      if (!fit[source]) continue;
      if (named && !named[source] && !passages.id[row].startsWith(words)) continue;
      if (probability[row] < least || probability[row] >= below) continue;
      if (coded !== undefined && Number(label[row] >= 0) !== coded) continue;
      if (apart !== undefined && (label[row] < 0 || own.apart[row] !== apart)) continue;
      if (inside !== undefined && framed[row] !== inside) continue;
      if (part && !part.includes(passages.part[row])) continue;
      // Nothing is known here of a passage held out, so that no question about codes finds it.
      if (aboutCodes && heldOut(row)) continue;
      if (cue && !cue[row]) continue;
      if (is && !is(row)) continue;
      found[number] = row;
      number += 1;
    }
    return ordered(found.subarray(0, number), asked.sort, probability);
  }

  function ordered(found, sort, probability) {
    if (!sort) return found;
    const key = {
      probability: (row) => MILLION - probability[row],
      "-probability": (row) => probability[row],
      doubt: (row) => Math.abs(2 * probability[row] - MILLION),
    }[sort];
    const kept = (row) => (heldOut(row) ? 4 * MILLION : key(row)); // held out: after all others
    // Key and place in one number: sorting numbers is fast, and equals keep their order.
    const width = 2 ** 26;
    const keys = Float64Array.from(found, (row) => kept(row) * width + row).sort();
    return Int32Array.from(keys, (number) => number % width);
  }

  // --- the list ----------------------------------------------------------------------------------

  const list = at("list");
  const pad = at("pad");
  let height = 1;

  function chip(place, row, long) {
    const own = columns[place];
    const found = own.decision[row] === 1;
    const said = codes[place].coded.map((column) => VALUE[column[row]]).filter((value) => value !== undefined);
    const yes = said.filter((value) => value === 1).length;
    const coded = said.length ? ` · ${yes}/${said.length}${long ? " coders" : ""}` : "";
    const text = `${codes[place].label} ${decimal(own.probability[row])} ${found ? "yes" : "no"}${coded}`;
    return make("span", { class: `chip ${tint(place)}${found ? " yes" : ""}` }, text);
  }

  /** Return the codes to show beside a passage: the one asked for, or all that are not made of others. */
  function shown() {
    const asked = state.code ? codePlace.get(state.code) : undefined;
    return asked === undefined || simple.includes(asked) ? simple : [asked, ...simple];
  }

  function rowOf(place) {
    const row = rows[place];
    const source = sourceOf[row];
    const text = prose && prose.text[row] ? prose.text[row].slice(0, 200) : "";
    const node = make("div", {
      class: `row${place === active ? " active" : ""}${passages.id[row] === state.passage ? " opened" : ""}`,
      role: "option", id: `row-${place}`, "aria-selected": String(passages.id[row] === state.passage),
      "aria-posinset": place + 1, "aria-setsize": rows.length,
    },
    make("div", { class: "title" }, cut(sourceLine(source))),
    make("div", { class: "about" }, text || [
      groups[sources.group[source]][1], periods[sources.period[source]][1],
      `characters ${count.format(passages.start[row])}–${count.format(passages.end[row])}`,
      plural(passages.words[row], "word")].join(" · ")),
    make("div", { class: "codes" }, ...(heldOut(row) ? ["awaits its coding: not to be looked at"]
      : shown().map((code) => chip(code, row, false)))));
    return node;
  }

  function drawList() {
    const probe = make("div", { class: "row" });
    list.append(probe);
    height = probe.getBoundingClientRect().height || 1;
    probe.remove();
    pad.style.height = `${rows.length * height}px`;
    const from = Math.max(0, Math.floor(list.scrollTop / height) - 5);
    const to = Math.min(rows.length, Math.ceil((list.scrollTop + list.clientHeight) / height) + 5);
    const nodes = [];
    for (let place = from; place < to; place += 1) {
      const node = rowOf(place);
      node.style.transform = `translateY(${place * height}px)`;
      nodes.push(node);
    }
    list.replaceChildren(pad, ...nodes);
    if (active >= from && active < to) list.setAttribute("aria-activedescendant", `row-${active}`);
    else list.removeAttribute("aria-activedescendant");
  }

  let waiting = false;
  function drawSoon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      drawList();
    });
  }

  function reveal(place) {
    const top = place * height;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + height > list.scrollTop + list.clientHeight) {
      list.scrollTop = top + height - list.clientHeight;
    }
  }

  function activate(place) {
    if (!rows.length) return;
    active = Math.max(0, Math.min(rows.length - 1, place));
    reveal(active);
    drawList();
  }

  function open(row, focus) {
    state.passage = passages.id[row];
    active = rows.indexOf(row);
    writeAddress(true);
    if (active >= 0) reveal(active);
    drawList();
    drawDetail();
    if (focus) {
      at("detail").focus({ preventScroll: true });
      at("detail").scrollIntoView({ block: "nearest" });
    }
  }

  function backToList() {
    list.focus({ preventScroll: true });
    list.scrollIntoView({ block: "nearest" });
  }

  // --- one passage -------------------------------------------------------------------------------

  function link(address, text) {
    let parsed = null;
    try {
      parsed = new URL(address);
    } catch {
      return text;
    }
    if (parsed.protocol !== "http:" && parsed.protocol !== "https:") return text;
    return make("a", { href: parsed.href, rel: "noopener noreferrer", target: "_blank" }, text);
  }

  function term(name, ...value) {
    return [make("dt", {}, name), make("dd", {}, ...value)];
  }

  function codeTable(row) {
    const head = ["Code", "Probability", "Classifier", "Combined", ...coders.map(([name]) => name)];
    const words = { ".": "–", 0: "no", 1: "yes", n: "no?", y: "yes?" };
    const body = codes.map((code, place) => make("tr", {},
      make("th", { scope: "row" }, code.label),
      make("td", { class: "number" }, decimal(code.probability[row])),
      make("td", {}, code.decision[row] === "1" ? "yes" : "no"),
      make("td", {}, words[code.label_of[row]]),
      ...coders.map((_, number) => make("td", {}, words[code.coded[number]?.[row] ?? "."]))));
    return make("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": "Codes of this passage" },
      make("table", {}, make("thead", {}, make("tr", {}, ...head.map((name) =>
        make("th", { scope: "col" }, name)))), make("tbody", {}, ...body)));
  }

  function cueTable(row) {
    const body = [];
    for (let hit = hitsFrom[row]; hit < hitsFrom[row + 1]; hit += 1) {
      const cue = cues[data.hits.cue[hit]];
      const votes = Object.entries(cue.votes).map(([code, vote]) =>
        `${vote > 0 ? "for" : "against"} ${codes[code].label}`);
      body.push(make("tr", {}, make("th", { scope: "row" }, cue.id),
        make("td", { class: "number" }, count.format(data.hits.times[hit])),
        make("td", {}, votes.join(", ") || "–"), make("td", {}, cue.says)));
    }
    if (!body.length) return make("p", { class: "aside" }, "No cue was found in this passage.");
    return make("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": "Cues in this passage" },
      make("table", {}, make("thead", {}, make("tr", {},
        ...["Cue", "Hits", "Speaks", "What it means"].map((name) => make("th", { scope: "col" }, name)))),
      make("tbody", {}, ...body)));
  }

  /** Return the prose of a passage with hits of cues marked. */
  function marked(row) {
    const text = prose.text[row];
    const spans = prose.spans[row];
    const cuts = new Set([0, text.length]);
    for (let k = 0; k < spans.length; k += 3) cuts.add(spans[k + 1]).add(spans[k + 2]);
    const ends = [...cuts].sort((a, b) => a - b);
    const nodes = [];
    for (let k = 0; k + 1 < ends.length; k += 1) {
      const over = [];
      for (let span = 0; span < spans.length; span += 3) {
        if (spans[span + 1] <= ends[k] && ends[k + 1] <= spans[span + 2]) over.push(cues[spans[span]]);
      }
      const piece = text.slice(ends[k], ends[k + 1]);
      const said = over.map((cue) => `${cue.id}: ${cue.says}`).join("\n");
      nodes.push(over.length ? make("mark", { title: said }, piece) : piece);
    }
    return nodes;
  }

  /** Return the prose of a passage, or why it is not here. */
  function proseOf(row) {
    const source = sourceOf[row];
    if (heldOut(row)) return make("p", { class: "absent" }, HELD_OUT);
    if (!prose || prose.text[row] === null) {
      const address = sources.url[source];
      const where = address || sources.from[source];
      return make("p", { class: "absent" }, "text not distributed: see ", address ? link(address, where) : where);
    }
    return make("blockquote", { class: "prose", dir: "auto" }, ...marked(row));
  }

  function frameLine(row) {
    const stratum = passages.stratum.values[passages.stratum.of[row]];
    const status = passages.status.values[passages.status.of[row]];
    const part = { r: "read", u: "unread", h: "held out for confirmation", n: "" }[passages.part[row]];
    const drawn = [any.label[row] >= 0 ? "coded" : "not coded", part, stratum && `stratum ${stratum}`]
      .filter(Boolean).join(", ");
    const frame = framed[row] ? "" : "; outside the frame that was sampled";
    return `${drawn}${frame}${status ? `; ${status}` : ""}`;
  }

  function drawDetail() {
    const detail = at("detail");
    const row = placeOf.get(state.passage);
    if (row === undefined) {
      detail.replaceChildren(make("p", { class: "aside" }, "Choose a passage to see its codes, coders and cues."));
      detail.removeAttribute("aria-labelledby");
      return;
    }
    const source = sourceOf[row];
    const step = (label, by) => {
      const place = rows.indexOf(row);
      const to = place < 0 ? -1 : place + by;
      const button = make("button", { type: "button", disabled: to < 0 || to >= rows.length }, label);
      button.addEventListener("click", () => open(rows[to], true));
      return button;
    };
    const back = make("button", { type: "button" }, "Back to the list");
    back.addEventListener("click", backToList);
    const whole = make("button", { type: "button" }, "In its source");
    whole.addEventListener("click", () => choose({ view: "source", whole: sources.id[source] }, true));
    detail.setAttribute("aria-labelledby", "detail-title");
    const unfamiliar = passages.unfamiliar[row] === "1";
    detail.replaceChildren(
      make("div", { class: "steps" }, step("Previous", -1), step("Next", 1), whole, back),
      make("h2", { id: "detail-title" }, sources.title[source]),
      proseOf(row),
      make("dl", {},
        ...term("Speaker", sources.speaker[source] || "–"),
        ...term("Date", `${sources.date[source] || "undated"} (${periods[sources.period[source]][1]})`),
        ...term("Group", groups[sources.group[source]][1]),
        ...term("Source", sources.id[source]),
        ...(sources.url[source] && prose && prose.text[row] !== null ? term("Address", link(sources.url[source], sources.url[source])) : []),
        ...(sources.from[source] ? term("Taken from", sources.from[source]) : []),
        ...term("Passage", passages.id[row]),
        ...term("Characters", `${count.format(passages.start[row])} to before ${count.format(passages.end[row])}; ${plural(passages.words[row], "word")}`),
        ...term("Sample", frameLine(row)),
        ...term("Fold", `${sources.fold[source]}: its probabilities come from a model that saw no passage of this fold`),
        ...(unfamiliar ? term("Unfamiliar", "unlike the passages that the classifier learned from") : []),
        ...(heldOut(row) ? [] : term("Why", make("code", {}, `framing explain ${passages.id[row]}`)))),
      ...(heldOut(row) ? [] : [make("h3", {}, "Codes"), codeTable(row),
        make("p", { class: "aside" }, `A question mark: the coder was unsure. ${coders.map(([name, kind]) => `${name}: ${kind} coder`).join("; ")}.`),
        make("h3", {}, "Cues that spoke"), cueTable(row)]));
  }

  // --- a source as a whole -----------------------------------------------------------------------

  /** Return by how much a passage is shaded for a code (0 to 1), and whether the code was found. */
  function shade(code, row) {
    const own = columns[code];
    if (state.by === "coders") {
      return own.label[row] < 0 ? [0, false] : [own.label[row], own.label[row] === 1];
    }
    return [own.probability[row] / MILLION, own.decision[row] === 1];
  }

  function drawSource() {
    const source = sourcePlace.get(state.whole) ?? sourcePlace.get(data.case) ?? 0;
    at("whole").value = sources.id[source];
    const asked = state.shade ? [codePlace.get(state.shade)] : simple;
    const reading = at("reading");
    const own = [];
    for (let row = first[source]; row < total && sourceOf[row] === source; row += 1) own.push(row);
    const strip = make("ol", { class: "strip", "aria-label": "Its passages, in order" }, ...own.map((row, place) => stripe(row, place, asked)));
    const here = prose && own.some((row) => prose.text[row] !== null);
    const whole = here && sources.id[source] === data.case && prose.between.length === own.length + 1;
    const parts = [];
    const between = (place) => {
      if (whole && prose.between[place].trim()) {
        parts.push(make("p", { class: "between", dir: "auto" }, prose.between[place].trim()));
      }
    };
    own.forEach((row, place) => {
      between(place);
      parts.push(unit(row, place, asked, here));
    });
    if (own.length) between(own.length);
    const key = make("p", { class: "key" }, ...asked.map((code) => make("span", {},
      make("span", { class: `swatch ${tint(code)}` }), codes[code].label)),
    make("span", {}, asked.length > 1
      ? "A passage is shaded by the codes found in it, from one colour to the other where there are two; in the strip depth is probability, and a dark foot is a code found."
      : "The deeper the shade, the higher the probability; in the strip a dark foot is a code found."));
    reading.replaceChildren(
      make("h2", {}, sources.title[source]),
      make("p", { class: "aside" }, [sources.speaker[source], sources.date[source] || "undated",
        groups[sources.group[source]][1], plural(own.length, "passage")].filter(Boolean).join(" · ")),
      ...(here || !own.length ? [] : [proseOf(own[0])]),
      key, strip, ...parts);
  }

  function stripe(row, place, asked) {
    const said = asked.map((code) => {
      const [part, found] = shade(code, row);
      return [code, part, found];
    });
    const name = heldOut(row) ? "awaits its coding" : said.map(([code, part, found]) =>
      `${codes[code].label} ${state.by === "coders" ? "" : `${part.toFixed(2)} `}${found ? "yes" : "no"}`).join(", ");
    const button = make("button", { type: "button", "aria-label": `Passage ${place + 1}: ${name}`, title: `${place + 1}: ${name}` },
      ...said.map(([code, part, found]) => {
        const bar = make("i", { class: `${tint(code)}${found ? " yes" : ""}` });
        bar.style.setProperty("--part", `${Math.round(100 * part)}%`);
        return bar;
      }));
    button.style.width = `${Math.min(9, 0.035 * passages.words[row])}rem`;
    button.addEventListener("click", () => {
      const target = at(`unit-${place}`);
      target.scrollIntoView({ block: "start" });
      target.focus({ preventScroll: true });
    });
    return make("li", {}, button);
  }

  function unit(row, place, asked, here) {
    const found = asked.filter((code) => shade(code, row)[1]);
    const node = make("section", { class: "unit", id: `unit-${place}`, tabindex: "-1", "aria-label": `Passage ${place + 1}` });
    if (asked.length === 1 || found.length === 1) {
      const code = asked.length === 1 ? asked[0] : found[0];
      node.classList.add("one", tint(code));
      // Never so deep that its text is hard to read.
      node.style.setProperty("--part", `${Math.round(28 * shade(code, row)[0])}%`);
    } else if (found.length > 1) {
      node.classList.add("several");
      node.style.setProperty("--first", `var(--code-${found[0] % MANY})`);
      node.style.setProperty("--second", `var(--code-${found[1] % MANY})`);
    }
    const more = make("button", { type: "button", "aria-label": `Passage ${place + 1}: codes, coders and cues` }, `${place + 1}`);
    more.addEventListener("click", () => choose({ view: "", passage: passages.id[row] }, true));
    node.append(make("p", { class: "codes" }, more,
      ...(heldOut(row) ? [] : asked.map((code) => chip(code, row, true))),
      ...(here ? [] : [make("span", { class: "aside" }, `characters ${count.format(passages.start[row])}–${count.format(passages.end[row])}, ${plural(passages.words[row], "word")}`)])));
    if (here && prose.text[row] !== null) node.append(make("p", { class: "prose", dir: "auto" }, ...marked(row)));
    else node.append(make("p", { class: heldOut(row) ? "absent" : "aside" }, heldOut(row) ? HELD_OUT : cuesLine(row)));
    return node;
  }

  function cuesLine(row) {
    const names = [];
    for (let hit = hitsFrom[row]; hit < hitsFrom[row + 1]; hit += 1) {
      const times = data.hits.times[hit];
      names.push(`${cues[data.hits.cue[hit]].id}${times > 1 ? ` ×${times}` : ""}`);
    }
    return names.length ? `Cues: ${names.join(", ")}` : "No cue.";
  }

  // --- key words in context ----------------------------------------------------------------------

  function drawWords() {
    const asked = (state.find || "").trim();
    const lines = at("lines");
    if (!asked) {
      at("found").textContent = "";
      lines.replaceChildren();
      return;
    }
    const pattern = new RegExp(asked.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\s+/g, "\\s+"), "giu");
    const nodes = [];
    let number = 0;
    let held = 0;
    let absent = 0;
    for (const row of rows) {
      const text = prose.text[row];
      if (heldOut(row)) {
        held += 1;
        continue;
      }
      if (text === null) {
        absent += 1;
        continue;
      }
      for (const hit of text.matchAll(pattern)) {
        number += 1;
        if (nodes.length < LINES) nodes.push(wordLine(row, text, hit));
      }
    }
    const notes = [`${plural(number, "hit")} in ${plural(rows.length - held - absent, "passage")}`];
    if (number > LINES) notes.push(`the first ${LINES} are shown`);
    if (absent) notes.push(`of ${plural(absent, "passage")} the text is not here`);
    if (held) notes.push(`${plural(held, "passage")} held out for confirmation were not searched`);
    at("found").textContent = `${notes.join("; ")}.`;
    lines.replaceChildren(make("ol", { class: "kwic" }, ...nodes));
  }

  function wordLine(row, text, hit) {
    const from = hit.index;
    const to = from + hit[0].length;
    const inLine = (piece) => piece.replace(/\s+/g, " ");
    const before = `${from > CONTEXT ? "…" : ""}${inLine(text.slice(Math.max(0, from - CONTEXT), from))}`;
    const after = `${inLine(text.slice(to, to + CONTEXT))}${to + CONTEXT < text.length ? "…" : ""}`;
    const more = make("button", { type: "button", "aria-label": `Open passage ${passages.id[row]} of ${cut(sources.title[sourceOf[row]])}` },
      cut(sources.title[sourceOf[row]]));
    more.addEventListener("click", () => choose({ view: "", passage: passages.id[row] }, true));
    return make("li", {}, make("span", { class: "before" }, make("bdi", {}, before)),
      make("b", {}, hit[0]), make("span", { class: "after" }, make("bdi", {}, after)), more);
  }

  // --- all of it ---------------------------------------------------------------------------------

  function drawCount() {
    const seen = new Set();
    let coded = 0;
    for (const row of rows) {
      seen.add(sourceOf[row]);
      if (any.label[row] >= 0) coded += 1;
    }
    at("count").textContent = rows.length
      ? `${count.format(rows.length)} of ${plural(total, "passage")}, from ${plural(seen.size, "source")}; ${count.format(coded)} of them coded`
      : `None of ${plural(total, "passage")} is all that. Clear a filter.`;
  }

  function drawView() {
    const view = state.view || "passages";
    for (const name of VIEWS) at(`view-${name}`).hidden = name !== view;
    for (const button of document.querySelectorAll(".views button")) {
      if (button.dataset.view === view) button.setAttribute("aria-current", "page");
      else button.removeAttribute("aria-current");
    }
    at("filters").hidden = view === "source";
    at("count").hidden = view === "source";
    if (view === "source") drawSource();
    if (view === "words") drawWords();
    if (view === "passages") {
      drawList();
      drawDetail();
    }
  }

  /** Show what is chosen: filter anew, and start the list at its top, or at the passage opened. */
  function drawAll() {
    showFields();
    rows = matching(state);
    active = state.passage ? rows.indexOf(placeOf.get(state.passage)) : -1;
    drawCount();
    list.scrollTop = 0;
    drawView();
    if (active >= 0 && !list.closest("[hidden]")) {
      reveal(active);
      drawList();
    }
  }

  function choose(changes, push) {
    state = { ...state, ...changes };
    writeAddress(push);
    drawAll();
    if (changes.passage && !state.view) {
      at("detail").focus({ preventScroll: true });
      at("detail").scrollIntoView({ block: "nearest" });
    }
  }

  function listen() {
    for (const name of MENUS) at(name).addEventListener("change", () => choose({ [name]: at(name).value }));
    for (const name of ["q", "from", "to"]) {
      at(name).addEventListener("input", later(() => choose({ [name]: at(name).value }), 120));
    }
    at("filters").addEventListener("submit", (event) => event.preventDefault());
    at("filters").addEventListener("reset", (event) => {
      event.preventDefault();
      choose(Object.fromEntries(FIELDS.map((name) => [name, ""])));
    });
    for (const name of ["whole", "shade", "by"]) {
      at(name).addEventListener("change", () => choose({ [name]: at(name).value }));
    }
    if (prose) at("find").addEventListener("input", later(() => choose({ find: at("find").value }), 200));
    for (const button of document.querySelectorAll(".views button")) {
      button.addEventListener("click", () => choose({ view: button.dataset.view === "passages" ? "" : button.dataset.view }, true));
    }
    at("skip").addEventListener("click", (event) => {
      event.preventDefault();
      list.focus();
    });
    list.addEventListener("scroll", drawSoon, { passive: true });
    list.addEventListener("click", (event) => {
      // By height, as rows may have been drawn anew since the button went down.
      const place = Math.floor((event.clientY - pad.getBoundingClientRect().top) / height);
      if (place < rows.length) open(rows[place], matchMedia("(max-width: 56rem)").matches);
    });
    list.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const page = Math.max(1, Math.floor(list.clientHeight / height) - 1);
      const to = { ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page,
        Home: 0, End: rows.length - 1 }[event.key];
      if (to !== undefined) activate(to);
      else if ((event.key === "Enter" || event.key === " ") && active >= 0) open(rows[active], true);
      else return;
      event.preventDefault();
    });
    list.addEventListener("focus", () => {
      if (active < 0 && list.matches(":focus-visible")) activate(Math.ceil(list.scrollTop / height));
    });
    at("detail").addEventListener("keydown", (event) => { if (event.key === "Escape") backToList(); });
    addEventListener("resize", drawSoon);
    addEventListener("hashchange", () => {
      state = readAddress();
      drawAll();
    });
    addEventListener("beforeprint", () => {
      const some = [];
      for (let place = 0; place < Math.min(PRINTED, rows.length); place += 1) {
        const row = rowOf(place);
        row.removeAttribute("role");
        row.removeAttribute("id");
        some.push(row);
      }
      const note = rows.length > PRINTED ? [make("p", {}, `The first ${PRINTED} of ${plural(rows.length, "passage")} are printed.`)] : [];
      at("printed").replaceChildren(...note, ...some);
    });
    addEventListener("afterprint", () => at("printed").replaceChildren());
  }

  fillMenus();
  listen();
  at("main").hidden = false;
  if (matchMedia("(max-width: 40rem)").matches) at("fold").open = false;
  state = readAddress();
  drawAll();
  // Whoever comes by a link to one passage should see it, below the list on a narrow page.
  if (state.passage && !state.view && matchMedia("(max-width: 56rem)").matches) {
    at("detail").scrollIntoView({ block: "start" });
  }
})();
