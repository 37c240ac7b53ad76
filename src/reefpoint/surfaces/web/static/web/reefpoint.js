// Reefpoint's own browser code: keyboard, live updates that do not jump, charts. Every page works without it.
"use strict";

(() => {
  const typing = (element) => element.closest("input, select, textarea, [contenteditable]") !== null;

  // Keyboard: "/" searches; j and k walk the rows of a table, enter opens one; escape leaves the search.
  const rowsOf = (table) => [...table.tBodies].flatMap((body) => [...body.rows]).filter((row) => row.querySelector("a"));
  let current = null;
  const choose = (row) => {
    current?.removeAttribute("aria-selected");
    current = row;
    row.setAttribute("aria-selected", "true");
    row.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const box = document.querySelector("[data-search]");
    if (event.key === "Escape" && event.target === box) box.blur();
    if (typing(event.target)) return;
    if (event.key === "/" && box) {
      event.preventDefault();
      box.focus();
      box.select();
      return;
    }
    if (event.key !== "j" && event.key !== "k" && event.key !== "Enter") return;
    if (event.key === "Enter") {
      if (current?.isConnected && event.target === document.body) current.querySelector("a").click();
      return;
    }
    const table = current?.isConnected ? current.closest("table") : document.querySelector("table[data-keys]");
    if (!table) return;
    const rows = rowsOf(table);
    const at = rows.indexOf(current);
    const next = rows[event.key === "j" ? Math.min(at + 1, rows.length - 1) : Math.max(at - 1, 0)];
    if (next) choose(next);
  });

  // A filter takes effect when it is chosen; typed text when enter is pressed.
  document.addEventListener("change", (event) => {
    if (event.target.matches(".table-bar select")) event.target.form.requestSubmit();
  });

  // The person menu closes when the reader clicks elsewhere.
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.person[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  // Is the page live? Say so, and after a gap fetch everything again, because what was missed is not repeated.
  const showLive = (state) => {
    for (const place of document.querySelectorAll("[data-live-state]")) {
      place.dataset.liveState = state;
      for (const word of place.querySelectorAll("[data-live-word]")) word.hidden = word.dataset.liveWord !== state;
    }
  };
  let wasLost = false;
  document.addEventListener("htmx:sseOpen", () => {
    showLive("open");
    if (wasLost) for (const part of document.querySelectorAll("[data-live-part]")) window.htmx.trigger(part, "refresh");
    wasLost = false;
  });
  document.addEventListener("htmx:sseError", () => {
    wasLost = true;
    showLive("lost");
  });

  // Figures that changed flash once. A chart keeps its canvas through a swap and only takes the new numbers.
  if (window.Idiomorph) {
    window.Idiomorph.defaults.callbacks.beforeNodeMorphed = (old, fresh) => {
      if (old.nodeType !== Node.ELEMENT_NODE) return true;
      if (old.hasAttribute("data-chart")) return false;
      if (old.tagName === "DETAILS" && old.open) fresh.open = true;
      if (old.getAttribute("aria-selected")) fresh.setAttribute("aria-selected", "true");
      if (old.hasAttribute("data-flash") && old.textContent.trim() !== fresh.textContent.trim()) fresh.classList.add("changed");
      return true;
    };
  }
  document.addEventListener("animationend", (event) => event.target.classList.remove("changed"));

  // Nothing moves under the mouse: while the reader points at a steady table its rows keep their order.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const target = event.detail.target;
    const held = [...target.querySelectorAll("[data-steady]:hover")];
    if (!held.length) return;
    const fresh = new DOMParser().parseFromString(event.detail.serverResponse, "text/html");
    for (const body of held) {
      const next = body.id && fresh.getElementById(body.id);
      if (!next) continue;
      const order = new Map([...body.children].map((row, index) => [row.id, index]));
      const rows = [...next.children].sort((a, b) => (order.get(a.id) ?? Infinity) - (order.get(b.id) ?? Infinity));
      next.append(...rows);
    }
    event.detail.serverResponse = fresh.body.innerHTML;
  });

  // Charts: each `[data-chart]` names a JSON block; a table with the same numbers stands beside it.
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const colour = (token) => {
    probe.style.color = `var(--${token})`;
    return getComputedStyle(probe).color;
  };
  const percent = (bp) => `${(bp / 100).toLocaleString(undefined, { maximumFractionDigits: 1 })}%`;
  const axis = (extra) => ({
    axisLine: { lineStyle: { color: colour("line-strong") } },
    axisTick: { show: false },
    axisLabel: { color: colour("muted"), fontSize: 11, hideOverlap: true },
    splitLine: { lineStyle: { color: colour("line") } },
    ...extra,
  });
  const tooltip = () => ({
    trigger: "axis",
    renderMode: "richText",
    backgroundColor: colour("surface"),
    borderColor: colour("line"),
    textStyle: { color: colour("text"), fontSize: 12 },
    axisPointer: { lineStyle: { color: colour("line-strong") } },
  });

  const draw = {
    // The ratio over time against its lines, with what happened marked on it.
    margin(data) {
      const levels = data.levels.map((level) => ({
        yAxis: level.bp,
        name: level.name,
        lineStyle: { color: colour(`${level.token}-fill`), type: level.dashed ? "dashed" : "solid", width: 1.2 },
        label: { formatter: `${level.name} ${percent(level.bp)}`, color: colour(level.token), position: "insideEndTop", fontSize: 11 },
      }));
      const known = data.ratios.filter((bp) => bp !== null);
      const low = Math.min(...known, ...data.levels.map((level) => level.bp));
      const high = Math.min(Math.max(...known, ...data.levels.map((level) => level.bp)), low * 4);
      const step = [500, 1000, 2000, 2500, 5000, 10000, 20000, 50000].find((one) => (high - low) / one <= 6) ?? 100000;
      return {
        tooltip: { ...tooltip(), valueFormatter: (bp) => (bp === null || bp === undefined ? "–" : percent(bp)) },
        grid: { left: 54, right: 16, top: 14, bottom: 26 },
        xAxis: axis({ type: "category", data: data.days, boundaryGap: false, splitLine: { show: false } }),
        yAxis: axis({ type: "value", min: Math.floor((low - step * 0.2) / step) * step, max: Math.ceil((high + step * 0.1) / step) * step, interval: step, axisLabel: { color: colour("muted"), formatter: percent, fontSize: 11 } }),
        series: [
          {
            name: data.name,
            type: "line",
            data: data.ratios,
            showSymbol: data.ratios.length < 3,
            symbolSize: 5,
            connectNulls: false,
            lineStyle: { color: colour("text"), width: 1.8 },
            itemStyle: { color: colour("text") },
            markLine: { symbol: "none", silent: true, data: levels },
            markPoint: {
              data: data.marks.map((mark) => ({
                coord: [mark.day, mark.bp],
                name: mark.name,
                symbol: mark.symbol,
                symbolSize: 11,
                itemStyle: { color: colour(`${mark.token}-fill`), borderColor: colour("surface"), borderWidth: 1 },
                label: { show: false },
              })),
            },
          },
        ],
      };
    },
    // How many accounts stand at each ratio, stacked by the band they are in.
    histogram(data) {
      return {
        tooltip: { ...tooltip(), axisPointer: { type: "shadow", shadowStyle: { color: colour("sunken"), opacity: 0.6 } } },
        grid: { left: 36, right: 8, top: 12, bottom: 24 },
        xAxis: axis({ type: "category", data: data.labels, splitLine: { show: false } }),
        yAxis: axis({ type: "value", minInterval: 1 }),
        series: data.series.map((band) => ({
          name: band.name,
          type: "bar",
          stack: "bands",
          barCategoryGap: "14%",
          data: band.counts,
          itemStyle: { color: colour(`${band.token}-fill`) },
        })),
      };
    },
    // Lines of money or prices over time, each named at its end.
    line(data) {
      return {
        tooltip: { ...tooltip(), valueFormatter: (value) => (value === null ? "–" : value.toLocaleString()) },
        grid: { left: 78, right: 64, top: 12, bottom: 26 },
        xAxis: axis({ type: "category", data: data.days, boundaryGap: false, splitLine: { show: false } }),
        yAxis: axis({ type: "value", scale: !data.fromZero }),
        series: data.series.map((line) => ({
          name: line.name,
          type: "line",
          data: line.values,
          showSymbol: false,
          endLabel: { show: true, formatter: "{a}", color: colour(line.token), fontSize: 11 },
          lineStyle: { color: colour(line.token), width: 1.6 },
          itemStyle: { color: colour(line.token) },
        })),
      };
    },
    // Clients and what they share: squares owe, small points are things; the tables on the page say the same.
    graph(data) {
      const looks = {
        debtor: { symbol: "roundRect", symbolSize: 22, token: "accent-fill" },
        client: { symbol: "circle", symbolSize: 20, token: "safe-fill" },
        thing: { symbol: "circle", symbolSize: 9, token: "unknown-fill" },
      };
      const few = data.points.length <= 30;
      return {
        tooltip: { ...tooltip(), trigger: "item", formatter: ({ data }) => [data.number, data.name].filter(Boolean).join(" ") },
        series: [
          {
            type: "graph",
            layout: "force",
            roam: "move",
            draggable: true,
            force: { initLayout: "circular", repulsion: few ? 420 : 160, edgeLength: few ? [70, 150] : [30, 80], gravity: 0.12, layoutAnimation: false },
            emphasis: { focus: "adjacency" },
            data: data.points.map((point) => ({
              ...point,
              symbol: looks[point.kind].symbol,
              symbolSize: looks[point.kind].symbolSize,
              itemStyle: { color: colour(looks[point.kind].token) },
              cursor: "pointer",
              label: { show: few || point.kind !== "thing", position: "bottom", color: colour(point.kind === "thing" ? "muted" : "text"), fontSize: 11, width: 130, overflow: "truncate" },
            })),
            links: data.lines.map((line) => ({
              ...line,
              lineStyle: { color: colour(line.strong ? "line-strong" : "line"), width: line.strong ? 2.2 : 1, type: line.strong ? "solid" : "dashed" },
              label: { show: few && line.label !== "", formatter: line.label, color: colour("muted"), fontSize: 10 },
            })),
          },
        ],
      };
    },
  };

  const drawAll = () => {
    if (!window.echarts) return;
    for (const place of document.querySelectorAll("[data-chart]")) {
      const source = document.getElementById(place.dataset.source);
      if (!source) continue;
      const text = source.textContent;
      const look = `${text}${colour("text")}`;
      const chart = window.echarts.getInstanceByDom(place) ?? window.echarts.init(place, null, { renderer: "canvas" });
      if (place.drawn === look) continue;
      place.drawn = look;
      chart.setOption({ animation: false, textStyle: { fontFamily: getComputedStyle(document.body).fontFamily }, ...draw[place.dataset.chart](JSON.parse(text)) }, true);
      chart.off("click");
      chart.on("click", ({ data }) => data?.address && window.location.assign(data.address));
    }
  };
  const resizeAll = () => {
    for (const place of document.querySelectorAll("[data-chart]")) window.echarts?.getInstanceByDom(place)?.resize();
  };
  drawAll();
  document.addEventListener("htmx:afterSettle", drawAll);
  window.addEventListener("resize", resizeAll);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
})();
