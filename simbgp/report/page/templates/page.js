"use strict";
(() => {
  const data = JSON.parse(document.getElementById("replay-data").textContent);
  const slider = document.getElementById("replay-time");
  const said = document.getElementById("replay-said");
  const play = document.getElementById("replay-play");
  const speed = document.getElementById("replay-speed");
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  const shapes = [...document.querySelectorAll("[data-shape]")];
  const states = [...document.querySelectorAll("[data-state]")];
  const moments = [...document.querySelectorAll("[data-moment]")];
  const second = 1e6;
  let now = 0;
  let timer = null;

  // the place of the last of `times` at or before `time`; -1: none
  const lastAt = (times, time) => {
    let low = 0;
    let high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] <= time) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  };
  const wordAt = (place, time) => data.words[data.tracks[place][1][lastAt(data.tracks[place][0], time)]];
  const isAsAtFirst = (place, time) => wordAt(place, time) === data.words[data.tracks[place][1][0]];
  const digits = (us) => (us / second).toFixed(3);
  const stamp = (us) => {
    const since = us - data.zero_us;
    const relative = data.zero_us === 0 ? "" : since < 0
      ? `, ${digits(-since)} s before the first fault` : `, ${digits(since)} s after the first fault`;
    return `${digits(us)} s${relative}`;
  };
  const sentence = (us) => {
    const lines = data.lines.filter(([, place]) => !isAsAtFirst(place, us));
    const told = lines.map(([label, place]) => `${label}: ${wordAt(place, us)}`);
    return `${stamp(us)}. ${told.length ? told.join(". ") : "All is as it was at the start"}.`;
  };

  const show = (us) => {
    now = Math.min(data.horizon_us, Math.max(0, Math.round(us)));
    slider.value = String(now / second);
    for (const shape of shapes) {
      shape.setAttribute("class", `${shape.dataset.shape} ${wordAt(Number(shape.dataset.track), now)}`);
    }
    for (const state of states) {
      const place = Number(state.dataset.state);
      state.textContent = wordAt(place, now);
      state.parentElement.classList.toggle("changed", !isAsAtFirst(place, now));
    }
    const current = lastAt(moments.map((moment) => Number(moment.dataset.moment)), now);
    moments.forEach((moment, place) => {
      if (place === current) moment.setAttribute("aria-current", "step");
      else moment.removeAttribute("aria-current");
    });
    said.textContent = sentence(now);
    slider.setAttribute("aria-valuetext", said.textContent);
  };
  const change = (step) => {
    const stops = data.stops_us;
    const place = lastAt(stops, now);
    const on = stops[place] === now;
    const wanted = step > 0 ? place + 1 : on ? place - 1 : place;
    show(wanted < 0 ? 0 : wanted >= stops.length ? data.horizon_us : stops[wanted]);
  };

  const stop = () => {
    if (timer !== null) {
      cancelAnimationFrame(timer);
      clearTimeout(timer);
    }
    timer = null;
    play.textContent = "Play";
    said.setAttribute("aria-live", "polite");
  };
  const start = () => {
    if (now >= data.horizon_us) show(0);
    play.textContent = "Pause";
    said.setAttribute("aria-live", "off");
    if (calm.matches) {
      const next = () => {
        change(1);
        timer = setTimeout(now >= data.horizon_us ? stop : next, 2000);
      };
      timer = setTimeout(next, 2000);
      return;
    }
    let before = null;
    const frame = (at) => {
      if (before !== null) show(now + (at - before) * 1000 * Number(speed.value));
      before = at;
      if (now >= data.horizon_us) stop();
      else timer = requestAnimationFrame(frame);
    };
    timer = requestAnimationFrame(frame);
  };
  const toggle = () => (timer === null ? start() : stop());

  const page = Math.max(10 * second, Math.round(data.horizon_us / 20));
  const keys = {
    ArrowRight: second, ArrowUp: second, ArrowLeft: -second, ArrowDown: -second, PageUp: page, PageDown: -page,
  };
  slider.addEventListener("keydown", (event) => {
    if (event.key === " ") toggle();
    else if (event.key === "Home") show(0);
    else if (event.key === "End") show(data.horizon_us);
    else if (event.shiftKey && event.key in keys) change(Math.sign(keys[event.key]));
    else if (event.key in keys) show(now + keys[event.key]);
    else return;
    event.preventDefault();
  });
  slider.addEventListener("focus", () => said.setAttribute("aria-live", "off"));
  slider.addEventListener("blur", () => { if (timer === null) said.setAttribute("aria-live", "polite"); });
  slider.addEventListener("input", () => show(Math.round(Number(slider.value) * 1000) * 1000));
  play.addEventListener("click", toggle);
  document.getElementById("replay-before").addEventListener("click", () => { stop(); change(-1); });
  document.getElementById("replay-after").addEventListener("click", () => { stop(); change(1); });
  for (const moment of moments) {
    moment.addEventListener("click", () => { stop(); show(Number(moment.dataset.moment)); });
  }

  let opened = [];
  window.addEventListener("beforeprint", () => {
    stop();
    opened = [...document.querySelectorAll("details:not([open])")];
    opened.forEach((part) => { part.open = true; });
  });
  window.addEventListener("afterprint", () => opened.forEach((part) => { part.open = false; }));

  for (const part of document.querySelectorAll("[data-scripted]")) part.hidden = false;
  show(data.first_us);
})();
