// Search and headings together, in the exported catalogue, by the same rules as the app's. Without this script each
// heading has its pages still. Nothing is fetched: all that is known stands in the script catalogue/index.js.
(() => {
  "use strict";
  const data = window.catalogue, shelf = document.getElementById("shelf"), form = document.querySelector("form.seek");
  if (!data || !shelf || !form) return;
  const home = shelf.dataset.home, folder = home.slice(0, home.lastIndexOf("/") + 1);
  const WORD = /[\u3040-\u30ff\u3400-\u9fff]|(?:(?![\u3040-\u30ff\u3400-\u9fff])[\p{L}\p{N}_])+/gu;

  // What is chosen

  const asked = new URLSearchParams(location.search);
  const choice = { q: "", chosen: {}, sort: "", page: 1 };
  if ([...asked.keys()].length) {
    choice.q = (asked.get("q") || "").trim().split(/\s+/).join(" ");
    for (const facet of Object.keys(data.facets)) if (asked.get(facet)) choice.chosen[facet] = asked.get(facet);
    choice.sort = asked.get("sort") in data.sorts ? asked.get("sort") : "";
    choice.page = Math.max(1, parseInt(asked.get("page"), 10) || 1);
  } else {
    if (shelf.dataset.facet) choice.chosen[shelf.dataset.facet] = shelf.dataset.key;
    choice.page = parseInt(shelf.dataset.page, 10) || 1;
  }
  const address = (other) => {
    const query = new URLSearchParams();
    if (other.q) query.set("q", other.q);
    for (const facet of Object.keys(data.facets)) if (other.chosen[facet]) query.set(facet, other.chosen[facet]);
    if (other.sort) query.set("sort", other.sort);
    if (other.page > 1) query.set("page", other.page);
    const text = query.toString();
    return text ? `${home}?${text}` : home;
  };
  const changed = (change) => address({ ...choice, page: 1, ...change });
  const without = (facet) => {
    const chosen = { ...choice.chosen };
    delete chosen[facet];
    return chosen;
  };

  // What is found

  const normal = (text) => text.toLowerCase().replaceAll("ß", "ss").normalize("NFKD").replace(/\p{Mn}/gu, "");
  const wordsOf = (text) => normal(text).match(WORD) || [];

  const distance = (one, other) => {
    const rows = [Array.from({ length: other.length + 1 }, (_, column) => column)];
    for (let row = 1; row <= one.length; row++) {
      rows[row] = [row];
      for (let column = 1; column <= other.length; column++) {
        const same = one[row - 1] === other[column - 1] ? 0 : 1;
        let least = Math.min(rows[row - 1][column] + 1, rows[row][column - 1] + 1, rows[row - 1][column - 1] + same);
        if (row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1])
          least = Math.min(least, rows[row - 2][column - 2] + 1);
        rows[row][column] = least;
      }
    }
    return rows[one.length][other.length];
  };

  const vocabulary = () => {
    const found = new Set();
    for (const entry of data.entries) for (const word of Object.keys(entry.words)) found.add(word);
    return [...found].sort();
  };
  const mistaken = (word, known) => {
    if (word.length < data.oneMistake) return [];
    const allowed = word.length >= data.twoMistakes ? 2 : 1;
    const near = known.filter((other) => Math.abs(other.length - word.length) <= allowed)
      .map((other) => [distance(word, other), other]).filter(([apart]) => apart <= allowed);
    const least = Math.min(...near.map(([apart]) => apart));
    return near.filter(([apart]) => apart === least).map(([, other]) => other).slice(0, 8);
  };

  const search = (query) => {
    const sought = [...new Set(wordsOf(query))], telling = sought.filter((word) => !data.littleWords.includes(word));
    const known = sought.length ? vocabulary() : [], instead = [], scores = new Map();
    let found = data.entries;
    for (const word of telling.length ? telling : sought) {
      let alike = known.filter((other) => word.length > 1 ? other.startsWith(word) : other === word);
      if (!alike.length && (alike = mistaken(word, known)).length) instead.push([word, alike]);
      const value = (entry) => Math.max(0, ...alike.map((other) => (entry.words[other] || 0) * (other === word ? 2 : 1)));
      for (const entry of data.entries) scores.set(entry, (scores.get(entry) || 0) + value(entry));
      found = found.filter((entry) => value(entry) > 0);
    }
    return { found, scores, instead };
  };
  const has = (entry, facet, key) => (entry.marks[facet] || []).includes(key);
  const narrowed = (entries, chosen) =>
    entries.filter((entry) => Object.entries(chosen).every(([facet, key]) => has(entry, facet, key)));
  const compared = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
  const orders = {
    newest: () => 0,
    best: (one, other) => matches.scores.get(other) - matches.scores.get(one),
    title: (one, other) => compared(one.title.toLowerCase(), other.title.toLowerCase()),
    workload: (one, other) => compared(one.hours === null, other.hours === null) || one.hours - other.hours,
    price: (one, other) => compared(one.price === null, other.price === null) || compared(one.price > 0, other.price > 0) ||
      compared(one.price ? one.currency : "", other.price ? other.currency : "") || one.price - other.price,
  };
  const matches = search(choice.q);
  const usual = choice.q ? "best" : "newest";
  const order = !choice.sort || (choice.sort === "best" && !choice.q) ? usual : choice.sort;
  const result = [...narrowed(matches.found, choice.chosen)].sort(orders[order]);
  const pages = Math.max(1, Math.ceil(result.length / data.pageLength));
  choice.page = Math.min(choice.page, pages);

  // What is shown

  const made = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const hidden = (text) => made("span", { class: "hidden" }, text);
  const label = (facet, key) => ((data.labels[facet] || {})[key] || [key])[0];

  const chips = () => {
    const chosen = [];
    if (choice.q) chosen.push(["the search ", `“${choice.q}”`, changed({ q: "" })]);
    for (const facet of Object.keys(data.facets)) {
      const key = choice.chosen[facet];
      if (key) chosen.push(["", `${data.facets[facet]}: ${label(facet, key)}`, changed({ chosen: without(facet) })]);
    }
    const items = chosen.map(([told, text, href]) =>
      made("li", {}, made("a", { href }, hidden(`Remove ${told}`), text, made("span", { "aria-hidden": "true" }, " ×"))));
    const all = address({ q: "", chosen: {}, sort: choice.sort, page: 1 });
    if (items.length > 1) items.push(made("li", {}, made("a", { class: "plain", href: all }, "Remove all")));
    return items.length ? [made("ul", { class: "chips", "aria-label": "Chosen" }, ...items)] : [];
  };
  const notes = () => matches.instead.map(([word, known]) =>
    made("p", { class: "note" }, `Nothing has “${word}”. Shown is what has `, made("strong", {}, known.join(", ")), "."));
  const sorting = () => {
    const items = Object.entries(data.sorts).filter(([sort]) => sort !== "best" || choice.q).map(([sort, text]) =>
      made("li", {}, made("a", { href: changed({ sort }), "aria-current": sort === order ? "true" : undefined }, text)));
    return made("nav", { class: "order", "aria-label": "Order" }, made("span", {}, "Order"), made("ul", {}, ...items));
  };
  const card = (entry) => made("li", { class: "sheet" },
    made("h3", {}, made("a", { href: `${folder}${encodeURIComponent(entry.slug)}/index.html` }, entry.title),
      ...(entry.standing ? [" ", made("span", { class: "badge warn" }, entry.standing)] : [])),
    made("p", { class: "kicker" }, entry.provider),
    ...(entry.summary ? [made("p", {}, entry.summary)] : []),
    ...(entry.told.length ? [made("ul", { class: "gist" }, ...entry.told.map((text) => made("li", {}, text)))] : []));
  const paging = () => {
    const parts = [];
    if (choice.page > 1) parts.push(made("a", { class: "button second", rel: "prev", href: address({ ...choice, page: choice.page - 1 }) }, "Previous page"));
    parts.push(made("span", { class: "where" }, `Page ${choice.page} of ${pages}`));
    if (choice.page < pages) parts.push(made("a", { class: "button second", rel: "next", href: address({ ...choice, page: choice.page + 1 }) }, "Next page"));
    return pages > 1 ? [made("nav", { class: "pages", "aria-label": "Pages of the list" }, ...parts)] : [];
  };
  const found = () => {
    const count = result.length === 1 ? "1 micro-credential" : `${result.length.toLocaleString("en")} micro-credentials`;
    const first = (choice.page - 1) * data.pageLength, shown = result.slice(first, first + data.pageLength);
    const parts = [made("h2", { id: "count", tabindex: "-1" }, count), ...chips(), ...notes()];
    if (shown.length) parts.push(made("p", { class: "jump" }, made("a", { href: "#narrow" }, "Narrow the list")));
    if (shown.length > 1) parts.push(sorting());
    if (shown.length) return [...parts, made("ul", { class: "offers" }, ...shown.map(card)), ...paging()];
    return [...parts, made("div", { class: "empty" }, made("p", {}, made("strong", {}, "Nothing fits all of that.")),
      made("p", {}, "Remove something above, try another word, or ", made("a", { href: home }, "see all"), "."))];
  };

  const values = (facet) => {
    const others = narrowed(matches.found, without(facet)), counts = new Map();
    for (const entry of others) for (const key of entry.marks[facet] || []) counts.set(key, (counts.get(key) || 0) + 1);
    const chosen = choice.chosen[facet];
    if (chosen && (data.labels[facet] || {})[chosen] && !counts.has(chosen)) counts.set(chosen, 0);
    const rank = (key) => data.labels[facet][key][1];
    const all = [...counts].map(([key, count]) => ({ key, count, chosen: key === chosen }));
    return all.sort((one, other) => compared(rank(one.key), rank(other.key)) || (rank(one.key) ? 0 : other.count - one.count) ||
      compared(label(facet, one.key).toLowerCase(), label(facet, other.key).toLowerCase()));
  };
  const value = (facet, { key, count, chosen }) => {
    const href = changed({ chosen: chosen ? without(facet) : { ...choice.chosen, [facet]: key } });
    const text = made("span", {}, label(facet, key), ...(chosen ? [hidden(" (chosen; remove)")] : []));
    const number = made("span", { class: "count" }, String(count));
    return made("li", {}, made("a", { href, "aria-current": chosen ? "true" : undefined }, text, " ", number));
  };
  const heading = (facet) => {
    const all = values(facet);
    if (!(facet in choice.chosen) && !all.some(({ count }) => count < result.length)) return [];
    const seen = all.length <= data.seen + 1 ? all.length : data.seen;
    const first = all.filter((item, place) => place < seen || item.chosen), more = all.filter((item) => !first.includes(item));
    const list = (items) => made("ul", {}, ...items.map((item) => value(facet, item)));
    const parts = [made("h3", { id: `facet-${facet}` }, data.facets[facet]), list(first)];
    if (more.length) parts.push(made("details", {}, made("summary", {}, `${more.length} more`), list(more)));
    return [made("section", { "aria-labelledby": `facet-${facet}` }, ...parts)];
  };

  shelf.querySelector(".listing").replaceChildren(...found());
  const narrowing = shelf.querySelector(".narrowing");
  if (narrowing) narrowing.replaceChildren(...Object.keys(data.facets).flatMap(heading));
  form.action = home;
  form.elements.q.value = choice.q;
  form.querySelectorAll("input[type=hidden]").forEach((field) => field.remove());
  for (const [name, key] of Object.entries(choice.chosen)) form.append(made("input", { type: "hidden", name, value: key }));
  form.hidden = false;
})();
